//! What the tests of the rtnetlink decoder share: real messages, an encoder, and ways to make
//! routes.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

pub mod captures;
pub mod encode;
pub mod routes;
