//! Link messages (`struct ifinfomsg`, `linux/rtnetlink.h` and `linux/if_link.h`).

use super::attributes::Attributes;
use super::constants::{AF_UNSPEC, IFF_LOWER_UP, IFF_RUNNING, IFF_UP, IFLA_ADDRESS, IFLA_IFNAME};
use super::error::{DecodeErrorKind, SkipReason};
use super::types::{Action, HardwareAddress, LinkMessage, Payload};

const IFINFOMSG: usize = 16;

pub(super) fn decode(action: Action, payload: &[u8]) -> Result<Payload, DecodeErrorKind> {
    let (header, rest) = payload
        .split_first_chunk::<IFINFOMSG>()
        .ok_or(DecodeErrorKind::Short("struct ifinfomsg"))?;
    let [family, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *header;
    // Bridges announce their ports as links of AF_BRIDGE, "deleted" when they leave the bridge.
    if family != AF_UNSPEC {
        return Ok(Payload::Skipped(SkipReason::Family));
    }
    let flags = u32::from_ne_bytes([f0, f1, f2, f3]);
    let (mut name, mut address) = (None, None);
    for attribute in Attributes::new(rest) {
        match attribute? {
            (IFLA_IFNAME, value) => {
                let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
                name = Some(String::from_utf8_lossy(text).into());
            }
            (IFLA_ADDRESS, value) => {
                address = HardwareAddress::try_from(value)
                    .ok()
                    .filter(|a| *a != [0; 6]);
            }
            _ => {}
        }
    }
    Ok(Payload::Link(LinkMessage {
        action,
        index: u32::from_ne_bytes([i0, i1, i2, i3]),
        name,
        up: flags & IFF_UP != 0,
        carrier: flags & (IFF_RUNNING | IFF_LOWER_UP) != 0,
        address,
    }))
}
