;; Fails in an orderly way, with a hint.
(module
  ;; prelude
  (data (i32.const 1024) "no_match")
  (data (i32.const 1040) "nothing matches")
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (call $fail (i32.const 1024) (i32.const 8) (i32.const 1040) (i32.const 15) (i32.const 2))))
