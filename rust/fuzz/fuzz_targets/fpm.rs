//! Any bytes as what zebra sends.
#![no_main]

#[path = "../../core/tests/fuzz/fpm.rs"]
mod fpm;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fpm::check(bytes));
