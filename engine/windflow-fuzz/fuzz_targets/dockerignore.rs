//! Fuzzes `windflow_fuzz::dockerignore`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| windflow_fuzz::dockerignore(bytes));
