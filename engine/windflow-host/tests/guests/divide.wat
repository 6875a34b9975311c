;; Divides by zero.
(module
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (i32.div_u (local.get 3) (i32.const 0))))
