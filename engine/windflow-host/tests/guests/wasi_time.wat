;; Emits the time of the wall clock, in milliseconds.
(module
  (import "wasi:clocks/wall-clock@0.2.6" "now" (func $now (param i32)))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (local $n i64) (local $at i32)
    (call $now (i32.const 2048))
    (local.set $n
      (i64.add
        (i64.mul (i64.load (i32.const 2048)) (i64.const 1000))
        (i64.extend_i32_u (i32.div_u (i32.load (i32.const 2056)) (i32.const 1000000)))))
    (local.set $at (i32.const 4096))
    (loop $again
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $n) (i64.const 10)))))
      (local.set $n (i64.div_u (local.get $n) (i64.const 10)))
      (br_if $again (i64.ne (local.get $n) (i64.const 0))))
    (call $out (local.get $at) (i32.sub (i32.const 4096) (local.get $at)))))
