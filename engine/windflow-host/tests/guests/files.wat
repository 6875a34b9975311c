;; Does with a file of the run what the configuration says, a text: its first letter is what, the rest the path.
;; r: gives what the file has. w: writes a text there. l: tells how many files there are. d: removes. f: writes without end.
;; o: writes far behind the end. m: reads more than it may at once.
(module
  (import "windflow:node/files@1.0.0" "read" (func $read (param i32 i32 i64 i32 i32)))
  (import "windflow:node/files@1.0.0" "write" (func $write (param i32 i32 i64 i32 i32 i32)))
  (import "windflow:node/files@1.0.0" "list" (func $list (param i32 i32 i32)))
  (import "windflow:node/files@1.0.0" "remove" (func $remove (param i32 i32 i32)))
  ;; prelude
  (data (i32.const 1024) "\"seen\"")
  (data (i32.const 1040) "not_founddenied    refused   unavailable")
  ;; The results of calls lie at 512: whether it failed, then at 516 how, or what there is.
  (func $failed (result i32)
    (local $kind i32)
    (local.set $kind (i32.load8_u (i32.const 516)))
    (if (i32.eqz (local.get $kind))
      (then (return (call $fail (i32.const 1040) (i32.const 9) (i32.const 1040) (i32.const 9) (i32.const 0)))))
    (call $fail
      (i32.add (i32.const 1039) (i32.mul (local.get $kind) (i32.const 10)))
      (select (i32.const 6) (select (i32.const 7) (i32.const 11) (i32.eq (local.get $kind) (i32.const 2))) (i32.eq (local.get $kind) (i32.const 1)))
      (i32.load (i32.const 520)) (i32.load (i32.const 524)) (i32.const 0)))
  (func $digit (param $number i32) (result i32)
    (i32.store8 (i32.const 600) (i32.add (i32.const 48) (local.get $number)))
    (call $out (i32.const 600) (i32.const 1)))
  (func (export "execute") (param $node i32) (param $node_length i32) (param $config i32) (param $length i32) (result i32)
    (local $what i32) (local $path i32) (local $offset i64)
    (local.set $what (i32.load8_u (local.get $config)))
    (local.set $path (i32.add (local.get $config) (i32.const 1)))
    (local.set $length (i32.sub (local.get $length) (i32.const 1)))
    (if (i32.eq (local.get $what) (i32.const 114))
      (then
        (call $read (local.get $path) (local.get $length) (i64.const 0) (i32.const 1000) (i32.const 512))
        (if (i32.load8_u (i32.const 512)) (then (return (call $failed))))
        (return (call $out (i32.load (i32.const 516)) (i32.load (i32.const 520))))))
    (if (i32.eq (local.get $what) (i32.const 109))
      (then
        (call $read (local.get $path) (local.get $length) (i64.const 0) (i32.const -1) (i32.const 512))
        (if (i32.load8_u (i32.const 512)) (then (return (call $failed))))
        (return (call $out (i32.const 1024) (i32.const 6)))))
    (if (i32.eq (local.get $what) (i32.const 108))
      (then
        (call $list (local.get $path) (local.get $length) (i32.const 512))
        (if (i32.load8_u (i32.const 512)) (then (return (call $failed))))
        (return (call $digit (i32.load (i32.const 520))))))
    (if (i32.eq (local.get $what) (i32.const 100))
      (then
        (call $remove (local.get $path) (local.get $length) (i32.const 512))
        (if (i32.load8_u (i32.const 512)) (then (return (call $failed))))
        (return (call $digit (i32.load (i32.const 516))))))
    (if (i32.eq (local.get $what) (i32.const 102))
      (then
        (loop $more
          (call $write (local.get $path) (local.get $length) (local.get $offset) (i32.const 0) (i32.const 131072) (i32.const 512))
          (if (i32.load8_u (i32.const 512)) (then (return (call $failed))))
          (local.set $offset (i64.add (local.get $offset) (i64.const 131072)))
          (br $more))))
    (if (i32.eq (local.get $what) (i32.const 111)) (then (local.set $offset (i64.const -1))))
    (call $write (local.get $path) (local.get $length) (local.get $offset) (i32.const 1024) (i32.const 6) (i32.const 512))
    (if (i32.load8_u (i32.const 512)) (then (return (call $failed))))
    (call $out (i32.const 1024) (i32.const 6))))
