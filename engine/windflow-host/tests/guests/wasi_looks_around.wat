;; Emits how many environment variables, arguments and folders it sees.
(module
  (import "wasi:cli/environment@0.2.6" "get-environment" (func $environment (param i32)))
  (import "wasi:cli/environment@0.2.6" "get-arguments" (func $arguments (param i32)))
  (import "wasi:filesystem/preopens@0.2.6" "get-directories" (func $folders (param i32)))
  ;; prelude
  (data (i32.const 1024) "[0,0,0]")
  (func $count (param $at i32)
    (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.load (i32.const 2052)))))
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (call $environment (i32.const 2048)) (call $count (i32.const 1025))
    (call $arguments (i32.const 2048)) (call $count (i32.const 1027))
    (call $folders (i32.const 2048)) (call $count (i32.const 1029))
    (call $out (i32.const 1024) (i32.const 7))))
