;; Sets the key that the configuration names to 1, twice, and gives the configuration back.
(module
  (import "windflow:node/state@1.0.0" "set" (func $set (param i32 i32 i32 i32 i32 i64 i32)))
  ;; prelude
  (data (i32.const 1024) "1denied")
  (func $once (param $key i32) (param $length i32) (result i32)
    (call $set
      (local.get $key) (local.get $length) (i32.const 1024) (i32.const 1)
      ;; Whatever is there.
      (i32.const 0) (i64.const 0) (i32.const 512))
    (i32.load8_u (i32.const 512)))
  (func (export "execute") (param $node i32) (param $node_length i32) (param $config i32) (param $length i32) (result i32)
    ;; The quotes of the JSON text are left out.
    (local $key i32) (local $key_length i32)
    (local.set $key (i32.add (local.get $config) (i32.const 1)))
    (local.set $key_length (i32.sub (local.get $length) (i32.const 2)))
    (if (call $once (local.get $key) (local.get $key_length))
      (then (return (call $fail (i32.const 1025) (i32.const 6) (i32.load (i32.const 524)) (i32.load (i32.const 528)) (i32.const 0)))))
    (drop (call $once (local.get $key) (local.get $key_length)))
    (call $out (local.get $config) (local.get $length))))
