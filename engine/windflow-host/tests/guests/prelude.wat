  ;; What every guest needs: memory, an allocator that never frees, and the two ways to return.
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 8192))

  (func $alloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32) (local $missing i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (local.set $missing
      (i32.sub (i32.shr_u (i32.add (global.get $top) (i32.const 65535)) (i32.const 16)) (memory.size)))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1)) (then (unreachable)))))
    (local.get $at))

  ;; The return area lies at 256; texts that a guest declares belong at 1024 and above.
  (func $emit (param $port i32) (param $port_length i32) (param $value i32) (param $value_length i32) (result i32)
    (i32.store8 (i32.const 256) (i32.const 0))
    (i32.store (i32.const 264) (local.get $port))
    (i32.store (i32.const 268) (local.get $port_length))
    (i32.store (i32.const 272) (local.get $value))
    (i32.store (i32.const 276) (local.get $value_length))
    (i32.const 256))

  ;; An error without details; `hint` is never (0), may-help (1) or after 1500 ms (2).
  (func $fail (param $code i32) (param $code_length i32) (param $message i32) (param $message_length i32) (param $hint i32) (result i32)
    (i32.store8 (i32.const 256) (i32.const 1))
    (i32.store (i32.const 264) (local.get $code))
    (i32.store (i32.const 268) (local.get $code_length))
    (i32.store (i32.const 272) (local.get $message))
    (i32.store (i32.const 276) (local.get $message_length))
    (i32.store8 (i32.const 280) (local.get $hint))
    (i64.store (i32.const 288) (i64.const 1500))
    (i32.store8 (i32.const 296) (i32.const 0))
    (i32.const 256))

  ;; On the port `out`.
  (func $out (param $value i32) (param $length i32) (result i32)
    (call $emit (i32.const 16) (i32.const 3) (local.get $value) (local.get $length)))
  (data (i32.const 16) "out")
