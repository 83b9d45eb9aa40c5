//! What the benchmarks share: a routing table of the size and shape of the internet's, as routes
//! and as the bytes of a kernel's dump, and ways to put it into a table.
#![allow(dead_code, reason = "each benchmark uses its own part")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark may fail loudly"
)]

#[path = "../../tests/netlink/support/encode.rs"]
mod encode;
pub mod memory;
pub mod prefixes;
pub mod size;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bgpreflector_core::netlink::{Messages, PartialMessage, Payload, RawMessages};
use bgpreflector_core::route::{
    Family, NextHop, NextHopSet, NextHopSource, PathSet, Prefix, Route, RouteKey, RouteType,
};
use bgpreflector_core::table::{
    Announcement, DirtyBatch, DumpScope, InsertMode, Interfaces, Link, PathSetId, Request, Scope,
    SweepReport, Table, Unmapped,
};
use bgpreflector_core::vpp::EncodedPaths;
use netlink_packet_core::NetlinkMessage;
use netlink_packet_route::RouteNetlinkMessage;

use size::Size;

/// The kernel fills at most 32 KiB a read.
const BUFFER: usize = 32 * 1024;
/// Next-hop sets of a table.
pub const SETS: u8 = 64;
/// The kernel's index of the only link.
pub const LINK: u32 = 3;

/// Where a route's next hops are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextHops {
    /// In the route, so many.
    Inline(u8),
    /// In next-hop objects, which [`empty_table`] adds to the table.
    Objects,
}

/// The host of a set's next hop; next hops of one set differ, and so do the sets.
fn host(set: u8, next_hop: u8) -> u8 {
    const STEPS: [u8; 4] = [0, 1, 5, 21];
    10 + (set + STEPS[usize::from(next_hop)]) % SETS
}

/// The next hop on the only link.
pub fn hop(family: Family, host: u8) -> NextHop {
    let gateway = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::new(192, 168, 100, host)),
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0xfd00, 0x100, 0, 0, 0, 0, 0, host.into())),
    };
    NextHop::new(Some(gateway), LINK)
}

/// The id of a set's next-hop object.
pub fn object(family: Family, set: u8) -> u32 {
    u32::from(set) + if family == Family::V4 { 1 } else { 1001 }
}

fn set(family: Family, next_hops: NextHops, number: u8) -> NextHopSet {
    let next_hops = match next_hops {
        NextHops::Inline(count) => NextHopSource::Inline(
            (0..count)
                .map(|next_hop| hop(family, host(number, next_hop)))
                .collect(),
        ),
        NextHops::Objects => NextHopSource::Object(object(family, number)),
    };
    NextHopSet::new(family, RouteType::Unicast, next_hops)
}

/// The routes of a table, IPv4 first, each family in the order in which a dump has it.
pub fn routes(size: Size, next_hops: NextHops) -> Vec<Route> {
    let mut random = oorandom::Rand32::new(64);
    let mut route = |prefix: Prefix| Route {
        key: RouteKey {
            table: 254,
            prefix,
            tos: 0,
            metric: if prefix.family() == Family::V4 {
                32
            } else {
                1024
            },
        },
        protocol: 12,
        set: set(
            prefix.family(),
            next_hops,
            u8::try_from(random.rand_range(0..u32::from(SETS))).unwrap(),
        ),
    };
    let v4 = prefixes::v4(size.v4).into_iter().map(&mut route);
    let v4: Vec<Route> = v4.collect();
    let v6 = prefixes::v6(size.v6).into_iter().map(&mut route);
    v4.into_iter().chain(v6).collect()
}

/// The routes as a dump delivers them: buffers as full as the kernel makes them.
pub fn dump(routes: &[Route]) -> Vec<Vec<u8>> {
    let mut buffers = vec![Vec::with_capacity(BUFFER)];
    let mut message = Vec::new();
    for route in routes {
        message.clear();
        encode::put_new_route(&mut message, route);
        if buffers.last().unwrap().len() + message.len() > BUFFER {
            buffers.push(Vec::with_capacity(BUFFER));
        }
        buffers.last_mut().unwrap().extend_from_slice(&message);
    }
    buffers
}

/// A table that knows the link, its counterpart in VPP and, where routes use them, the next-hop
/// objects.
pub fn empty_table(next_hops: NextHops) -> Table {
    let mut table = Table::new(Scope::default());
    let link = Link {
        name: "uplink".into(),
        up: true,
        carrier: true,
        address: None,
        vrf_table: None,
    };
    table.link(LINK, link);
    table.set_interfaces(interfaces(1));
    if next_hops == NextHops::Objects {
        for family in Family::ALL {
            for number in 0..SETS {
                let hop = hop(family, host(number, 0));
                let single = bgpreflector_core::table::NextHopObject::Single(hop);
                table.next_hop(object(family, number), single);
            }
        }
    }
    table
}

/// The link's counterpart in VPP.
pub fn interfaces(sw_if_index: u32) -> Interfaces {
    Interfaces {
        map: [("uplink".to_owned(), sw_if_index)].into_iter().collect(),
        unmapped: Unmapped::Wait,
        ..Interfaces::default()
    }
}

/// A resync from a dump's bytes.
pub fn resync(table: &mut Table, buffers: &[Vec<u8>]) -> SweepReport {
    table.begin_resync(DumpScope::Everything);
    for buffer in buffers {
        for message in RawMessages::new(buffer) {
            let PartialMessage::Announced(route) = message.unwrap().read_partial().unwrap() else {
                continue;
            };
            let announcement = Announcement {
                key: route.key,
                protocol: route.protocol,
                expired: route.expires < 0,
            };
            let read = || route.read_set();
            table
                .announce_encoded(announcement, route.set_bytes(), read, InsertMode::Dump)
                .unwrap();
        }
    }
    table.end_resync(&Family::ALL)
}

/// Decodes all, and counts the routes.
pub fn decode(buffers: &[Vec<u8>]) -> usize {
    let messages = buffers.iter().flat_map(|buffer| Messages::new(buffer));
    messages
        .map(|message| black_box(message.unwrap()))
        .filter(|message| matches!(message.payload, Payload::Route(_)))
        .count()
}

/// The same by `netlink-packet-route`, which reads every attribute.
pub fn decode_by_netlink_packet_route(buffers: &[Vec<u8>]) -> usize {
    let mut count = 0;
    for buffer in buffers {
        let mut rest = buffer.as_slice();
        while !rest.is_empty() {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).unwrap();
            rest = &rest[message.header.length as usize..];
            count += 1;
            black_box(message);
        }
    }
    count
}

/// The requests for what was taken.
pub fn begin_requests(table: &mut Table, taken: &DirtyBatch) -> Vec<Request> {
    let handles = taken.handles.iter();
    handles
        .map(|handle| table.begin_request(*handle).unwrap())
        .collect()
}

/// The bytes of the requests' path sets, each once, by its index.
pub fn encode_sets(table: &Table, requests: &[Request]) -> Vec<EncodedPaths> {
    let used = requests.iter().map(|request| request.paths);
    let used: BTreeMap<usize, PathSetId> = used.map(|paths| (paths.index(), paths)).collect();
    let none = PathSet::new(Vec::new());
    let set = |index| used.get(&index).and_then(|paths| table.paths(*paths));
    let last = used.last_key_value().map_or(0, |(index, _)| *index);
    (0..=last)
        .map(|index| EncodedPaths::new(set(index).unwrap_or(&none)).unwrap())
        .collect()
}

/// As if VPP had done all that is to be done.
pub fn acknowledge_all(table: &mut Table) -> usize {
    let taken = table.take_dirty(usize::MAX);
    let requests = begin_requests(table, &taken);
    for request in &requests {
        table.acknowledge(request, Ok(()));
    }
    requests.len()
}
