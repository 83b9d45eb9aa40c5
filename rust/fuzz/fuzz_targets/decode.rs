//! Any bytes as a buffer of rtnetlink messages.
#![no_main]

#[path = "../../core/tests/fuzz/decode.rs"]
mod decode;
#[path = "../../core/tests/netlink/support/encode.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod encode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decode::check(bytes));
