//! Link messages (`struct ifinfomsg`, `linux/rtnetlink.h` and `linux/if_link.h`).

use super::attributes::Attributes;
use super::constants::{AF_UNSPEC, IFF_LOWER_UP, IFF_RUNNING, IFF_UP, IFLA_ADDRESS, IFLA_IFNAME};
use super::error::{DecodeErrorKind, SkipReason};
use super::message::{Action, Payload};

const IFINFOMSG: usize = 16;

/// An Ethernet address.
pub type HardwareAddress = [u8; 6];

/// `RTM_NEWLINK` or `RTM_DELLINK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMessage {
    /// Whether it was added (or changed) or removed.
    pub action: Action,
    /// Interface index.
    pub index: u32,
    /// Name (`IFLA_IFNAME`).
    pub name: Option<Box<str>>,
    /// `IFF_UP`: set up by an administrator.
    pub up: bool,
    /// `IFF_RUNNING` or `IFF_LOWER_UP`: without either the kernel drops next-hop objects.
    pub carrier: bool,
    /// Hardware address (`IFLA_ADDRESS`), if it is an Ethernet address and not all zeros.
    pub address: Option<HardwareAddress>,
}

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
