;; Logs why, as our SDK does in a panic, and stops.
(module
  (import "windflow:node/log@1.0.0" "log" (func $log (param i32 i32 i32)))
  ;; prelude
  (data (i32.const 1024) "panicked at src/lib.rs:7:5: no such thing")
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (call $log (i32.const 3) (i32.const 1024) (i32.const 41))
    (unreachable)))
