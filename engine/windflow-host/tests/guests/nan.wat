;; Emits the bits of a NaN that arithmetic made, as a number.
(module
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (local $bits i64) (local $n i32)
    (local.set $bits (i64.reinterpret_f64 (f64.div (f64.convert_i32_s (i32.sub (local.get 3) (local.get 3))) (f64.const 0))))
    ;; Sixteen hexadecimal digits between quotes at 2048.
    (i32.store8 (i32.const 2048) (i32.const 34))
    (loop $again
      (i32.store8 (i32.add (i32.const 2049) (local.get $n))
        (i32.load8_u (i32.add (i32.const 1024)
          (i32.wrap_i64 (i64.and (i64.shr_u (local.get $bits) (i64.extend_i32_u (i32.sub (i32.const 60) (i32.mul (i32.const 4) (local.get $n))))) (i64.const 15))))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 16))))
    (i32.store8 (i32.const 2065) (i32.const 34))
    (call $out (i32.const 2048) (i32.const 18)))
  (data (i32.const 1024) "0123456789abcdef"))
