;; Reads the wall clock until an hour has passed.
(module
  (import "wasi:clocks/wall-clock@0.2.6" "now" (func $now (param i32)))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (local $until i64)
    (call $now (i32.const 2048))
    (local.set $until (i64.add (i64.load (i32.const 2048)) (i64.const 3600)))
    (loop $again
      (call $now (i32.const 2048))
      (br_if $again (i64.lt_u (i64.load (i32.const 2048)) (local.get $until))))
    (unreachable)))
