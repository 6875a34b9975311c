;; Ends as soon as it is asked to.
(module
  (import "windflow:node/cancellation@1.0.0" "cancelled" (func $cancelled (result i32)))
  ;; prelude
  (data (i32.const 1024) "stopped")
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (loop $again (br_if $again (i32.eqz (call $cancelled))))
    (call $fail (i32.const 1024) (i32.const 7) (i32.const 1024) (i32.const 7) (i32.const 0))))
