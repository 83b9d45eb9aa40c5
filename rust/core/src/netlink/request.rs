//! Requests to the kernel, as bytes.

use std::net::IpAddr;

use super::constants::{
    AF_MPLS, FIB_RULE_HDR, NLM_F_DUMP, NLM_F_REQUEST, RTA_DST, RTA_OIF, RTA_TABLE, RTM_GETLINK,
    RTM_GETNEXTHOP, RTM_GETROUTE, RTM_GETRULE,
};
use crate::route::Family;

/// `linux/rtnetlink.h`: answer with the table in which the route was found, not always main.
const RTM_F_LOOKUP_TABLE: u32 = 0x1000;
/// `linux/rtnetlink.h`: answer with the matching FIB entry, not with a resolved route.
const RTM_F_FIB_MATCH: u32 = 0x2000;

/// A dump of routes, of every protocol. The filters work only on a socket with `NETLINK_GET_STRICT_CHK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteDumpRequest {
    /// Family.
    pub family: Family,
    /// Only this kernel table.
    pub table: Option<u32>,
    /// Only routes through this interface.
    pub interface: Option<u32>,
}

impl RouteDumpRequest {
    /// The request.
    #[must_use]
    pub fn encode(&self, sequence: u32) -> Vec<u8> {
        let fixed = [self.family.af(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut request = Request::new(RTM_GETROUTE, NLM_F_DUMP, sequence, &fixed);
        if let Some(table) = self.table {
            request.attribute(RTA_TABLE, &table.to_ne_bytes());
        }
        if let Some(interface) = self.interface {
            request.attribute(RTA_OIF, &interface.to_ne_bytes());
        }
        request.finish()
    }
}

/// A dump of links.
#[must_use]
pub fn link_dump(sequence: u32) -> Vec<u8> {
    Request::new(RTM_GETLINK, NLM_F_DUMP, sequence, &[0; 16]).finish()
}

/// A dump of the routes by label. Only for a kernel with MPLS: another one answers with the routes of
/// all families (`rtnl_dump_all`).
#[must_use]
pub fn label_dump(sequence: u32) -> Vec<u8> {
    let fixed = [AF_MPLS, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    Request::new(RTM_GETROUTE, NLM_F_DUMP, sequence, &fixed).finish()
}

/// A dump of next-hop objects.
#[must_use]
pub fn next_hop_dump(sequence: u32) -> Vec<u8> {
    Request::new(RTM_GETNEXTHOP, NLM_F_DUMP, sequence, &[0; 8]).finish()
}

/// A dump of a family's policy rules.
#[must_use]
pub fn rule_dump(family: Family, sequence: u32) -> Vec<u8> {
    let mut fixed = [0; FIB_RULE_HDR];
    fixed[0] = family.af();
    Request::new(RTM_GETRULE, NLM_F_DUMP, sequence, &fixed).finish()
}

/// A lookup of the entry by which the kernel forwards to an address.
#[must_use]
pub fn route_lookup(address: IpAddr, sequence: u32) -> Vec<u8> {
    // IPv6 always names the table, and strict checking refuses the flag
    // (`inet6_rtm_valid_getroute_req`).
    let (family, flags) = match address {
        IpAddr::V4(_) => (Family::V4, RTM_F_FIB_MATCH | RTM_F_LOOKUP_TABLE),
        IpAddr::V6(_) => (Family::V6, RTM_F_FIB_MATCH),
    };
    let [a, b, c, d] = flags.to_ne_bytes();
    let fixed = [family.af(), family.bits(), 0, 0, 0, 0, 0, 0, a, b, c, d];
    let mut request = Request::new(RTM_GETROUTE, 0, sequence, &fixed);
    match address {
        IpAddr::V4(address) => request.attribute(RTA_DST, &address.octets()),
        IpAddr::V6(address) => request.attribute(RTA_DST, &address.octets()),
    }
    request.finish()
}

/// A message being built: `struct nlmsghdr` with `NLM_F_REQUEST`, fixed fields, attributes.
pub(crate) struct Request(Vec<u8>);

impl Request {
    pub(crate) fn new(kind: u16, flags: u16, sequence: u32, fixed: &[u8]) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
        bytes.extend_from_slice(&sequence.to_ne_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(fixed);
        Self(bytes)
    }

    /// Appends an attribute.
    pub(crate) fn attribute(&mut self, kind: u16, value: &[u8]) {
        attribute(&mut self.0, kind, value);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len())
            .unwrap_or(u32::MAX)
            .to_ne_bytes();
        if let Some(field) = self.0.first_chunk_mut::<4>() {
            *field = length;
        }
        self.0
    }
}

/// Appends an attribute, padded to a multiple of four bytes; nothing if it is too long.
pub(crate) fn attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let Ok(length) = u16::try_from(4 + value.len()) else {
        return;
    };
    out.extend_from_slice(&length.to_ne_bytes());
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
}
