//! Link messages (`struct ifinfomsg`, `linux/rtnetlink.h` and `linux/if_link.h`).

use super::attributes::Attributes;
use super::constants::{
    AF_UNSPEC, IFF_LOWER_UP, IFF_RUNNING, IFF_UP, IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_DATA,
    IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_VRF_TABLE,
};
use super::error::{DecodeErrorKind, SkipReason};
use super::types::{Action, LinkMessage, Payload};
use crate::route::HardwareAddress;

const IFINFOMSG: usize = 16;
const VRF: &[u8] = b"vrf";

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
    let (mut name, mut address, mut vrf_table) = (None, None, None);
    for attribute in Attributes::new(rest) {
        match attribute? {
            (IFLA_IFNAME, value) => {
                name = Some(String::from_utf8_lossy(text(value)).into());
            }
            (IFLA_ADDRESS, value) => {
                address = HardwareAddress::try_from(value)
                    .ok()
                    .filter(|a| *a != [0; 6]);
            }
            (IFLA_LINKINFO, value) => vrf_table = vrf_table_of(value),
            _ => {}
        }
    }
    Ok(Payload::Link(Box::new(LinkMessage {
        action,
        index: u32::from_ne_bytes([i0, i1, i2, i3]),
        name,
        up: flags & IFF_UP != 0,
        carrier: flags & (IFF_RUNNING | IFF_LOWER_UP) != 0,
        address,
        vrf_table,
    })))
}

/// The bytes before the terminating zero.
fn text(value: &[u8]) -> &[u8] {
    value.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The routing table of a VRF (`vrf_fillinfo` in `drivers/net/vrf.c`); none of another kind of link.
fn vrf_table_of(info: &[u8]) -> Option<u32> {
    let find = |bytes, wanted| {
        let mut attributes = Attributes::new(bytes).flatten();
        attributes.find_map(|(kind, value)| (kind == wanted).then_some(value))
    };
    if text(find(info, IFLA_INFO_KIND)?) != VRF {
        return None;
    }
    let table = find(find(info, IFLA_INFO_DATA)?, IFLA_VRF_TABLE)?;
    table.try_into().ok().map(u32::from_ne_bytes)
}
