//! Address messages (`struct ifaddrmsg`, `linux/if_addr.h`).
//!
//! Only the fact that an address was added or removed matters: the kernel marks next hops dead or
//! alive with it and sends no message about those.

use super::error::DecodeErrorKind;
use super::types::Payload;

const IFADDRMSG: usize = 8;

pub(super) fn decode(payload: &[u8]) -> Result<Payload, DecodeErrorKind> {
    let header = payload
        .first_chunk::<IFADDRMSG>()
        .ok_or(DecodeErrorKind::Short("struct ifaddrmsg"))?;
    let [_, _, _, _, i0, i1, i2, i3] = *header;
    let interface = u32::from_ne_bytes([i0, i1, i2, i3]);
    Ok(Payload::Address { interface })
}
