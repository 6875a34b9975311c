;; Reports its progress 100,000 times, the last time 7, which is cut to 1.
(module
  (import "windflow:node/progress@1.0.0" "report" (func $report (param i32 f64 i32 i32)))
  ;; prelude
  (data (i32.const 1024) "busy")
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (local $n i32)
    (loop $again
      (call $report (i32.const 1) (f64.const 0.5) (i32.const 1024) (i32.const 4))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 100000))))
    (call $report (i32.const 1) (f64.const 7) (i32.const 1024) (i32.const 4))
    (call $out (local.get 2) (local.get 3))))
