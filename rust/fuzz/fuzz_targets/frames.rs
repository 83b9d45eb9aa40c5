//! Any bytes as a stream of VPP API frames.
#![no_main]

#[path = "../../core/tests/fuzz/frames.rs"]
mod frames;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frames::check(bytes));
