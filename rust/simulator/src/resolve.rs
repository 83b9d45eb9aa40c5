//! How VPP resolves a route's paths: the end of `show ip fib PREFIX`.
//!
//! A path through an interface that is down does not forward, and a recursive path follows the
//! route to its next hop (`fib_path.c`); a loop drops.

use std::fmt::Write as _;
use std::net::IpAddr;

use bgpreflector_core::route::{Family, Prefix};
use bgpreflector_core::vpp::address::address_from_union;

use crate::fib::Best;
use crate::paths::{ApiPath, FibPathType};
use crate::sets::Set;
use crate::state::State;

/// Maximum recursion depth; VPP itself detects loops when it creates them.
const MAX_DEPTH: usize = 16;

/// The result of resolving a path.
pub(crate) enum Outcome {
    /// It forwards: VPP's text for each end.
    Forwards(Vec<String>),
    /// Its interface is down or deleted, or its next hop has no route.
    Unresolved,
    /// It leads back to its own route.
    Loop,
}

/// Resolves a path of a route.
pub(crate) fn outcome(state: &State, best: &Best<'_>, set: &Set, path: &ApiPath) -> Outcome {
    follow(state, best, set, path, &mut vec![best.key])
}

fn follow(
    state: &State,
    best: &Best<'_>,
    set: &Set,
    path: &ApiPath,
    seen: &mut Vec<(u32, Prefix)>,
) -> Outcome {
    let path = path.fixed_up(&best.key.1).unwrap_or_else(|| path.clone());
    let family = best.key.1.family();
    let (ip, arp) = match family {
        Family::V4 => ("ipv4", "arp-ipv4"),
        Family::V6 => ("ipv6", "arp-ipv6"),
    };
    let up = || {
        let interface = state.interfaces.get(path.sw_if_index);
        interface.filter(|i| i.up && !set.is_dead(path.sw_if_index))
    };
    let hop = address_from_union(family, path.address);
    match path.path_type {
        FibPathType::AttachedNextHop => up().map_or(Outcome::Unresolved, |interface| {
            Outcome::Forwards(vec![format!("{arp}: via {hop} {}", interface.name)])
        }),
        FibPathType::Attached => up().map_or(Outcome::Unresolved, |interface| {
            Outcome::Forwards(vec![format!("{ip}-glean: {}", interface.name)])
        }),
        FibPathType::Recursive => recursive(state, hop, &path, seen),
        FibPathType::Deag => Outcome::Forwards(vec![format!(
            "dst-address,unicast lookup in {}",
            state.tables.name(path.table, family)
        )]),
        FibPathType::Receive => Outcome::Forwards(vec!["dpo-receive".into()]),
        FibPathType::Special(_) => Outcome::Forwards(vec![dropped(family)]),
        _ => Outcome::Unresolved,
    }
}

/// A next hop within an interface's network is resolved there (`fib_entry_src_rr.c`).
fn recursive(state: &State, hop: IpAddr, path: &ApiPath, seen: &mut Vec<(u32, Prefix)>) -> Outcome {
    let (family, bits) = match hop {
        IpAddr::V4(_) => (Family::V4, 32),
        IpAddr::V6(_) => (Family::V6, 128),
    };
    let next = Prefix::new(hop, bits).ok();
    let next = next.and_then(|host| state.fib.lookup(path.table, &host, &state.sources));
    let Some(next) = next else {
        return Outcome::Unresolved;
    };
    if seen.contains(&next.key) || seen.len() > MAX_DEPTH {
        return Outcome::Loop;
    }
    seen.push(next.key);
    let mut ends = Vec::new();
    for next_path in next.set.paths.iter() {
        if next_path.path_type == FibPathType::Attached {
            let attached = ApiPath {
                path_type: FibPathType::AttachedNextHop,
                address: path.address,
                ..next_path.clone()
            };
            if let Outcome::Forwards(found) = follow(state, &next, next.set, &attached, seen) {
                ends.extend(found);
            }
            continue;
        }
        match follow(state, &next, next.set, next_path, seen) {
            Outcome::Forwards(found) => ends.extend(found),
            Outcome::Loop => return Outcome::Loop,
            Outcome::Unresolved => {}
        }
    }
    seen.pop();
    if ends.is_empty() || ends.iter().all(|end| *end == dropped(family)) {
        return Outcome::Unresolved;
    }
    Outcome::Forwards(ends)
}

fn dropped(family: Family) -> String {
    let number = if family == Family::V4 { 4 } else { 6 };
    format!("dpo-drop ip{number}")
}

/// The block that shows how VPP forwards the route.
pub(crate) fn forwarding(state: &State, best: &Best<'_>, text: &mut String) {
    let family = best.key.1.family();
    let ip = if family == Family::V4 { "ip4" } else { "ip6" };
    let mut ends = Vec::new();
    for path in best.set.paths.iter() {
        if let Outcome::Forwards(found) = outcome(state, best, best.set, path) {
            ends.extend(found);
        }
    }
    if ends.is_empty() {
        ends.push(dropped(family));
    }
    let count = ends.len();
    let _ = writeln!(text, "\n forwarding:   unicast-{ip}-chain");
    let _ = writeln!(
        text,
        "  [@0]: dpo-load-balance: [proto:{ip} index:{} buckets:{count} uRPF:0 to:[0:0]]",
        best.stats_index
    );
    for (number, end) in ends.iter().enumerate() {
        let _ = writeln!(text, "    [{number}] [@0]: {end}");
    }
}
