;; Logs 100,000 lines, then succeeds.
(module
  (import "windflow:node/log@1.0.0" "log" (func $log (param i32 i32 i32)))
  ;; prelude
  (data (i32.const 1024) "the same line again and again")
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (local $n i32)
    (loop $again
      (call $log (i32.const 1) (i32.const 1024) (i32.const 29))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 100000))))
    (call $out (local.get 2) (local.get 3))))
