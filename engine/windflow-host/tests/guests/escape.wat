;; Imports what nobody offers.
(module
  (import "test:guests/nobody-offers-this" "escape" (func $escape))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (call $escape) (unreachable)))
