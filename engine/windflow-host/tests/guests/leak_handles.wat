;; Makes requests, sends none of them, and lets go of none.
(module
  (import "wasi:http/types@0.2.6" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.6" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (loop $again (drop (call $request (call $fields))) (br $again)) (unreachable)))
