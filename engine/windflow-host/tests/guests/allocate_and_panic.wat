;; Asks for memory until it is refused, then panics as allocators do.
(module
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (loop $again
      (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
      (br $again))
    (unreachable)))
