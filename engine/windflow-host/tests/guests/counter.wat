;; Emits how often this memory was used: always 1 where every attempt has its own.
(module
  ;; prelude
  (data (i32.const 1024) "0")
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.add (i32.load8_u (i32.const 1024)) (i32.const 1)))
    (call $out (i32.const 1024) (i32.const 1))))
