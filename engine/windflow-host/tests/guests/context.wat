;; Emits the idempotency key between quotes.
(module
  (import "windflow:node/run-context@1.0.0" "idempotency-key" (func $key (param i32)))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (call $key (i32.const 2048))
    (i32.store8 (i32.const 4096) (i32.const 34))
    (memory.copy (i32.const 4097) (i32.load (i32.const 2048)) (i32.load (i32.const 2052)))
    (i32.store8 (i32.add (i32.const 4097) (i32.load (i32.const 2052))) (i32.const 34))
    (call $out (i32.const 4096) (i32.add (i32.const 2) (i32.load (i32.const 2052))))))
