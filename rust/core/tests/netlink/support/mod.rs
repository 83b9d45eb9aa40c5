//! What the tests of the rtnetlink decoder share: real messages, an encoder, and ways to make
//! routes.

pub mod captures;
pub mod encode;
pub mod routes;
