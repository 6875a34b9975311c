;; Says its configuration in every way there is: log, progress, and the message of an error.
(module
  (import "windflow:node/log@1.0.0" "log" (func $log (param i32 i32 i32)))
  (import "windflow:node/progress@1.0.0" "report" (func $report (param i32 f64 i32 i32)))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (call $log (i32.const 3) (local.get 2) (local.get 3))
    (call $report (i32.const 0) (f64.const 0) (local.get 2) (local.get 3))
    (call $fail (local.get 2) (local.get 3) (local.get 2) (local.get 3) (i32.const 0))))
