;; Sends a request and follows redirects. Its configuration is no JSON but lines (or JSON that ends in such lines, with | for
;; the breaks and "} behind them): authority, path, header name, header
;; value, anything in a fifth line for the method CONNECT, anything in a sixth for https. Emits [status, bytes of the body]. Its errors have the codes
;; `header`, `handle_NN`, `send_NN` and `body`, where NN is the number of wasi:http's error code.
(module
  (import "wasi:http/types@0.2.6" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.6" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.6" "[method]fields.get" (func $get_field (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.6" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]outgoing-request.set-method" (func $set_method (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]outgoing-request.set-scheme" (func $set_scheme (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]outgoing-request.set-authority" (func $set_authority (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]outgoing-request.set-path-with-query" (func $set_path (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/outgoing-handler@0.2.6" "handle" (func $handle (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.6" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]future-incoming-response.get" (func $get (param i32 i32)))
  (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:io/poll@0.2.6" "[resource-drop]pollable" (func $drop_pollable (param i32)))
  (import "wasi:http/types@0.2.6" "[method]incoming-response.status" (func $status (param i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]incoming-response.headers" (func $headers (param i32) (result i32)))
  (import "wasi:http/types@0.2.6" "[method]incoming-response.consume" (func $consume (param i32 i32)))
  (import "wasi:http/types@0.2.6" "[method]incoming-body.stream" (func $stream (param i32 i32)))
  (import "wasi:io/streams@0.2.6" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
  ;; prelude

  (data (i32.const 1024) "location")
  (data (i32.const 1040) "header")
  (data (i32.const 1056) "body")
  (data (i32.const 1072) "handle_")
  (data (i32.const 1088) "send_")

  ;; Where the rest of the configuration is, and the line that `$line` found last.
  (global $rest (mut i32) (i32.const 0))
  (global $end (mut i32) (i32.const 0))
  (global $line (mut i32) (i32.const 0))
  (global $length (mut i32) (i32.const 0))
  (global $break (mut i32) (i32.const 10))

  (func $next_line
    (global.set $line (global.get $rest))
    (block $found
      (loop $again
        (br_if $found (i32.ge_u (global.get $rest) (global.get $end)))
        (br_if $found (i32.eq (i32.load8_u (global.get $rest)) (global.get $break)))
        (global.set $rest (i32.add (global.get $rest) (i32.const 1)))
        (br $again)))
    (global.set $length (i32.sub (global.get $rest) (global.get $line)))
    (global.set $rest (i32.add (global.get $rest) (i32.const 1))))

  ;; Fails with a code that ends in two digits.
  (func $fail_with (param $prefix i32) (param $length i32) (param $number i32) (result i32)
    (memory.copy (i32.const 3000) (local.get $prefix) (local.get $length))
    (i32.store8 (i32.add (i32.const 3000) (local.get $length)) (i32.add (i32.const 48) (i32.div_u (local.get $number) (i32.const 10))))
    (i32.store8 (i32.add (i32.const 3001) (local.get $length)) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
    (call $fail (i32.const 3000) (i32.add (local.get $length) (i32.const 2)) (i32.const 3000) (i32.add (local.get $length) (i32.const 2)) (i32.const 0)))

  ;; Writes a number in decimal before `at`; says where it begins.
  (func $digits (param $at i32) (param $number i32) (result i32)
    (loop $again
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $again (local.get $number)))
    (local.get $at))

  (func (export "execute") (param i32 i32) (param $config i32) (param $config_length i32) (result i32)
    (local $authority i32) (local $authority_length i32) (local $path i32) (local $path_length i32)
    (local $fields i32) (local $request i32) (local $future i32) (local $pollable i32) (local $response i32)
    (local $status i32) (local $bytes i32) (local $body i32) (local $at i32)
    (global.set $rest (local.get $config))
    (global.set $end (i32.add (local.get $config) (local.get $config_length)))
    (if (i32.eq (i32.load8_u (local.get $config)) (i32.const 123))
      (then
        (global.set $break (i32.const 124))
        (global.set $end (i32.sub (global.get $end) (i32.const 2)))
        (call $next_line)))
    (call $next_line)
    (local.set $authority (global.get $line)) (local.set $authority_length (global.get $length))
    (call $next_line)
    (local.set $path (global.get $line)) (local.set $path_length (global.get $length))
    (call $next_line)

    (loop $redirected
      (local.set $fields (call $fields))
      (if (global.get $length)
        (then
          (i32.store (i32.const 2000) (global.get $line)) (i32.store (i32.const 2004) (global.get $length))
          (call $next_line)
          (call $append (local.get $fields) (i32.load (i32.const 2000)) (i32.load (i32.const 2004)) (global.get $line) (global.get $length) (i32.const 2048))
          (if (i32.load8_u (i32.const 2048))
            (then (return (call $fail (i32.const 1040) (i32.const 6) (i32.const 1040) (i32.const 6) (i32.const 0))))))
        (else (call $next_line)))
      (local.set $request (call $request (local.get $fields)))
      (call $next_line)
      (if (global.get $length)
        (then (drop (call $set_method (local.get $request) (i32.const 5) (i32.const 0) (i32.const 0)))))
      (call $next_line)
      (drop (call $set_scheme (local.get $request) (i32.const 1) (i32.ne (global.get $length) (i32.const 0)) (i32.const 0) (i32.const 0)))
      (if (call $set_authority (local.get $request) (i32.const 1) (local.get $authority) (local.get $authority_length))
        (then (return (call $fail_with (i32.const 1072) (i32.const 7) (i32.const 99)))))
      (if (call $set_path (local.get $request) (i32.const 1) (local.get $path) (local.get $path_length))
        (then (return (call $fail_with (i32.const 1072) (i32.const 7) (i32.const 98)))))
      (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 2048))
      (if (i32.load8_u (i32.const 2048))
        (then (return (call $fail_with (i32.const 1072) (i32.const 7) (i32.load8_u (i32.const 2056))))))
      (local.set $future (i32.load (i32.const 2056)))
      (local.set $pollable (call $subscribe (local.get $future)))
      (call $block (local.get $pollable))
      (call $drop_pollable (local.get $pollable))
      (call $get (local.get $future) (i32.const 2048))
      (if (i32.load8_u (i32.const 2064))
        (then (return (call $fail_with (i32.const 1088) (i32.const 5) (i32.load8_u (i32.const 2072))))))
      (local.set $response (i32.load (i32.const 2072)))
      (local.set $status (call $status (local.get $response)))
      ;; A redirect: on to http://AUTHORITY/PATH, with no header.
      (if (i32.eq (i32.div_u (local.get $status) (i32.const 100)) (i32.const 3))
        (then
          (call $get_field (call $headers (local.get $response)) (i32.const 1024) (i32.const 8) (i32.const 2048))
          (local.set $at (i32.load (i32.const 2048)))
          (local.set $authority (i32.add (i32.load (local.get $at)) (i32.const 7)))
          (global.set $end (i32.add (i32.load (local.get $at)) (i32.load (i32.add (local.get $at) (i32.const 4)))))
          (local.set $path (local.get $authority))
          (block $found
            (loop $again
              (br_if $found (i32.ge_u (local.get $path) (global.get $end)))
              (br_if $found (i32.eq (i32.load8_u (local.get $path)) (i32.const 47)))
              (local.set $path (i32.add (local.get $path) (i32.const 1)))
              (br $again)))
          (local.set $authority_length (i32.sub (local.get $path) (local.get $authority)))
          (local.set $path_length (i32.sub (global.get $end) (local.get $path)))
          (global.set $length (i32.const 0))
          (global.set $rest (global.get $end))
          (br $redirected))))

    (call $consume (local.get $response) (i32.const 2048))
    (call $stream (i32.load (i32.const 2052)) (i32.const 2048))
    (local.set $body (i32.load (i32.const 2052)))
    (block $closed
      (loop $more
        ;; Every piece is written to the same place.
        (global.set $top (i32.const 65536))
        (call $read (local.get $body) (i64.const 32768) (i32.const 2048))
        (if (i32.load8_u (i32.const 2048))
          (then
            (br_if $closed (i32.load8_u (i32.const 2052)))
            (return (call $fail (i32.const 1056) (i32.const 4) (i32.const 1056) (i32.const 4) (i32.const 0)))))
        (local.set $bytes (i32.add (local.get $bytes) (i32.load (i32.const 2056))))
        (br $more)))

    (i32.store8 (i32.const 4095) (i32.const 93))
    (local.set $at (i32.sub (call $digits (i32.const 4095) (local.get $bytes)) (i32.const 1)))
    (i32.store8 (local.get $at) (i32.const 44))
    (local.set $at (i32.sub (call $digits (local.get $at) (local.get $status)) (i32.const 1)))
    (i32.store8 (local.get $at) (i32.const 91))
    (call $out (local.get $at) (i32.sub (i32.const 4096) (local.get $at)))))
