;; Publishes the event that the configuration names, with a number, and hands on what comes back.
(module
  (import "windflow:node/events@1.0.0" "publish" (func $publish (param i32 i32 i32 i32 i32)))
  ;; prelude
  (data (i32.const 1024) "7")
  (func (export "execute") (param $node i32) (param $node_length i32) (param $config i32) (param $length i32) (result i32)
    ;; The quotes of the JSON text are left out.
    (call $publish
      (i32.add (local.get $config) (i32.const 1)) (i32.sub (local.get $length) (i32.const 2))
      (i32.const 1024) (i32.const 1) (i32.const 256))
    ;; An error lies where the caller looks for one already.
    (if (i32.eqz (i32.load8_u (i32.const 256)))
      (then (return (call $out (i32.load (i32.const 264)) (i32.load (i32.const 268))))))
    (i32.const 256)))
