;; Says that its value lies outside its memory.
(module
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (call $out (i32.const 0x7fffff00) (i32.const 4096))))
