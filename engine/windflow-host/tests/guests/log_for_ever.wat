;; Logs the same line for ever.
(module
  (import "windflow:node/log@1.0.0" "log" (func $log (param i32 i32 i32)))
  ;; prelude
  (data (i32.const 1024) "again")
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (loop $again (call $log (i32.const 1) (i32.const 1024) (i32.const 5)) (br $again)) (unreachable)))
