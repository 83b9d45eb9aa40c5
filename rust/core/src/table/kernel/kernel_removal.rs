//! Which of a prefix's routes the kernel removes (`fib_table_delete` in `net/ipv4/fib_trie.c`,
//! `ip6_route_del` in `net/ipv6/route.c`).

use crate::route::{Family, NextHopSet, NextHopSource};

use crate::table::kernel::ecmp::{is_same_route, same_forwarding, without_next_hops};
use crate::table::kernel::kernel_order::same_key;
use crate::table::store::entry::{KernelRoute, Routes};
use crate::table::store::interner::Interner;

/// What a withdrawal does to the list.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::table) enum Withdrawn {
    /// The route at this position is removed.
    Whole(usize),
    /// The IPv6 route at this position loses next hops and keeps this set.
    NextHops(usize, NextHopSet),
    /// Nothing in the list matches.
    Nothing,
}

/// Finds what `RTM_DELROUTE` for `gone` (with the given protocol, TOS and metric) removes.
pub(in crate::table) fn withdraw(
    routes: &Routes,
    (tos, metric, protocol): (u8, u32, u8),
    gone: &NextHopSet,
    sets: &Interner<NextHopSet>,
) -> Withdrawn {
    let range = same_key(routes, tos, metric);
    let candidates = || {
        range.clone().filter_map(|at| {
            let route = routes.get(at)?;
            Some((at, route, sets.get(route.set.0)?))
        })
    };
    let equal = |(_, route, set): &(usize, &KernelRoute, &NextHopSet)| {
        route.protocol == protocol && same_forwarding(set, gone)
    };
    let same = |(_, _, set): &(usize, &KernelRoute, &NextHopSet)| is_same_route(set, gone);
    let mut alike = candidates().filter(equal);
    if let Some((at, ..)) = alike.clone().find(same).or_else(|| alike.next()) {
        return Withdrawn::Whole(at);
    }
    if gone.family == Family::V6 {
        let left = |(at, _, set): (usize, &KernelRoute, &NextHopSet)| {
            Some((at, without_next_hops(set, gone)?))
        };
        match candidates().find_map(left) {
            Some((at, None)) => return Withdrawn::Whole(at),
            Some((at, Some(rest))) => return Withdrawn::NextHops(at, rest),
            None => {}
        }
    }
    // Only a withdrawal without next hops matches every route of its protocol.
    let by_key = matches!(&gone.next_hops, NextHopSource::Inline(hops) if hops.is_empty());
    let by_protocol = candidates().find(|(_, route, set)| {
        by_key && route.protocol == protocol && set.route_type == gone.route_type
    });
    by_protocol.map_or(Withdrawn::Nothing, |(at, ..)| Withdrawn::Whole(at))
}
