;; Asks the target `edge` to build from the folder `shop` of the run, whatever its configuration says.
(module
  (import "windflow:node/docker@1.0.0" "perform" (func $perform (param i32 i32 i32 i32 i32)))
  ;; prelude
  (data (i32.const 1024) "edge")
  (data (i32.const 1040) "{\"do\":\"build\",\"folder\":\"shop\"}")
  (func (export "execute") (param $node i32) (param $node_length i32) (param $config i32) (param $length i32) (result i32)
    (call $perform (i32.const 1024) (i32.const 4) (i32.const 1040) (i32.const 30) (i32.const 256))
    ;; An error lies where the caller looks for one already.
    (if (i32.eqz (i32.load8_u (i32.const 256)))
      (then (return (call $out (i32.load (i32.const 264)) (i32.load (i32.const 268))))))
    (i32.const 256)))
