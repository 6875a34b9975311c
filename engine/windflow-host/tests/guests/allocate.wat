;; Asks for memory for ever, whatever it is told.
(module
  ;; prelude
  (func (export "execute") (param i32 i32 i32 i32) (result i32)
    (loop $again (drop (memory.grow (i32.const 16))) (br $again)) (unreachable)))
