;; Makes lists of headers with 28 KiB in each, in the host's memory, and lets go of none.
(module
  (import "wasi:http/types@0.2.6" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.6" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
  ;; prelude
  (data (i32.const 1024) "x")
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (local $fields i32) (local $n i32)
    (memory.fill (i32.const 4096) (i32.const 97) (i32.const 4096))
    (loop $again
      (local.set $fields (call $fields))
      (local.set $n (i32.const 7))
      (loop $more
        (call $append (local.get $fields) (i32.const 1024) (i32.const 1) (i32.const 4096) (i32.const 4096) (i32.const 2048))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $more (local.get $n)))
      (br $again))
    (unreachable)))
