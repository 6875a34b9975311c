;; Writes two lines to standard error, the second without an end, and stops.
(module
  (import "wasi:cli/stderr@0.2.6" "get-stderr" (func $stderr (result i32)))
  (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
  ;; prelude
  (data (i32.const 1024) "Traceback:\n  no such key")
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (call $write (call $stderr) (i32.const 1024) (i32.const 24) (i32.const 2048))
    (unreachable)))
