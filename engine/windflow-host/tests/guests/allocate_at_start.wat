;; Begins with 200 MiB.
(module
  (memory (export "memory") 3200)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "execute") (param i32 i32 i32 i32) (result i32) (unreachable)))
