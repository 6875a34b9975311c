//! Fuzzes `windflow_fuzz::expression`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windflow_fuzz::expression(bytes));
