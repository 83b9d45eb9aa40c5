//! Tests of the public API, in one program: to link one for each file takes minutes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod fpm;
mod fuzz;
mod netlink;
mod table;
mod vpp;
