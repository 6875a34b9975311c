;; Asks for four gigabytes of random bytes at once.
(module
  (import "wasi:random/random@0.2.6" "get-random-bytes" (func $random (param i64 i32)))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (call $random (i64.const 4294967296) (i32.const 2048))
    (unreachable)))
