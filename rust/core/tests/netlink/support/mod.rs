//! What the tests of the rtnetlink decoder share: real messages, an encoder, and ways to make
//! routes.

pub mod captures;
pub mod encode;
pub mod routes;

use bgpreflector_core::netlink::{DecodeErrorKind, Messages, Payload};

/// What the bytes of one message say.
pub fn only(bytes: &[u8]) -> Result<Payload, DecodeErrorKind> {
    let mut all: Vec<_> = Messages::new(bytes).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
        .map(|message| message.payload)
        .map_err(|error| error.problem)
}
