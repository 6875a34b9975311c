;; Emits 32 MiB.
(module
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (drop (memory.grow (i32.const 600)))
    (call $out (i32.const 65536) (i32.const 33554432))))
