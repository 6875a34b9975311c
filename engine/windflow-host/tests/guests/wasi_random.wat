;; Emits a number of the random source.
(module
  (import "wasi:random/random@0.2.6" "get-random-u64" (func $random (result i64)))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (local $n i64) (local $at i32)
    (local.set $n (i64.shr_u (call $random) (i64.const 1)))
    (local.set $at (i32.const 4096))
    (loop $again
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $n) (i64.const 10)))))
      (local.set $n (i64.div_u (local.get $n) (i64.const 10)))
      (br_if $again (i64.ne (local.get $n) (i64.const 0))))
    (call $out (local.get $at) (i32.sub (i32.const 4096) (local.get $at)))))
