;; Logs one line of 4 MiB with control characters, then one of 20 MiB, beyond what a host call may pass.
(module
  (import "windflow:node/log@1.0.0" "log" (func $log (param i32 i32 i32)))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (drop (memory.grow (i32.const 400)))
    (call $log (i32.const 1) (i32.const 65536) (i32.const 4194304))
    (call $log (i32.const 1) (i32.const 65536) (i32.const 20971520))
    (call $out (local.get 2) (local.get 3))))
