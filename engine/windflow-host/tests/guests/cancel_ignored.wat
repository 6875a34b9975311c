;; Asks whether it should end, and goes on for ever.
(module
  (import "windflow:node/cancellation@1.0.0" "cancelled" (func $cancelled (result i32)))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (loop $again (drop (call $cancelled)) (br $again)) (unreachable)))
