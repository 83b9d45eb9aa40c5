//! Which routes IPv6 merges, and which next-hop sets are one route to the kernel.

use crate::route::{Family, NextHop, NextHopSet, NextHopSource, RTPROT_RA, RouteType};

/// Whether IPv6 merges a route with others of its key, as far as the message shows
/// (`rt6_qualify_for_ecmp`). The kernel does not merge routes of router advertisements
/// (`RTF_ADDRCONF`), but does merge those that a program adds with that protocol; a route with
/// several next hops has been merged.
pub(in crate::table) fn qualifies_for_ecmp(protocol: u8, set: &NextHopSet) -> bool {
    merges(set) && (several(set) || protocol != RTPROT_RA)
}

/// Whether the route comes from a router advertisement, or from a program that uses its protocol:
/// messages do not show which.
pub(in crate::table) fn may_be_advertised(protocol: u8, set: &NextHopSet) -> bool {
    protocol == RTPROT_RA && merges(set) && !qualifies_for_ecmp(protocol, set)
}

/// Whether all next hops of `known` are in `set`.
pub(in crate::table) fn holds_next_hops(set: &NextHopSet, known: &NextHopSet) -> bool {
    match (&set.next_hops, &known.next_hops) {
        (NextHopSource::Inline(hops), NextHopSource::Inline(next_hops)) => next_hops
            .iter()
            .all(|next_hop| hops.iter().any(|hop| same_next_hop(hop, next_hop))),
        _ => false,
    }
}

/// Whether IPv6 can merge the route with others of its key: it has its own next hops, and at least
/// one gateway.
pub(in crate::table) fn merges(set: &NextHopSet) -> bool {
    match (&set.route_type, &set.next_hops) {
        (RouteType::Unicast, NextHopSource::Inline(hops)) => {
            hops.iter().any(|hop| hop.gateway.is_some())
        }
        _ => false,
    }
}

/// Whether a route of the set has several next hops of its own.
pub(in crate::table) fn several(set: &NextHopSet) -> bool {
    matches!(&set.next_hops, NextHopSource::Inline(hops) if hops.len() > 1)
}

/// Whether the set is that of several IPv6 routes merged into one. A dump shows such a route at the
/// place of the first of them and continues behind the last, so it hides what stands in between
/// (`fib6_dump_node`).
pub(in crate::table) fn is_v6_multipath(set: &NextHopSet) -> bool {
    set.family == Family::V6 && several(set) && merges(set)
}

/// Equal except for what the kernel changes without a message (`RTNH_F_DEAD`).
pub(in crate::table) fn same_forwarding(a: &NextHopSet, b: &NextHopSet) -> bool {
    match (&a.next_hops, &b.next_hops) {
        // A route by an object has type blackhole while its object is one, so the same route can be
        // announced with one type and withdrawn with another.
        (NextHopSource::Object(a), NextHopSource::Object(b)) => a == b,
        (NextHopSource::Inline(hops), NextHopSource::Inline(others)) => {
            let same = |(a, b): (&NextHop, &NextHop)| same_next_hop(a, b) && a.weight == b.weight;
            a.route_type == b.route_type
                && hops.len() == others.len()
                && hops.iter().zip(others).all(same)
        }
        _ => false,
    }
}

/// Equal in all that tells two routes of a key apart.
pub(in crate::table) fn is_same_route(a: &NextHopSet, b: &NextHopSet) -> bool {
    (a.digest, a.preference) == (b.digest, b.preference)
        && same_forwarding(a, b)
        && same_flags(a, b)
}

/// Whether the next hops, otherwise equal, have the same onlink flags.
fn same_flags(a: &NextHopSet, b: &NextHopSet) -> bool {
    match (&a.next_hops, &b.next_hops) {
        (NextHopSource::Inline(hops), NextHopSource::Inline(others)) => {
            let mut pairs = hops.iter().zip(others);
            pairs.all(|(hop, other)| hop.onlink == other.onlink)
        }
        _ => true,
    }
}

pub(in crate::table) fn same_next_hop(a: &NextHop, b: &NextHop) -> bool {
    let of = |hop: &NextHop| (hop.gateway, hop.interface, hop.encapsulation, hop.digest);
    of(a) == of(b) && a.labels == b.labels
}

/// `set` without the next hops of `gone`: none if it does not contain them all, `Some(None)` if
/// none remain.
pub(in crate::table) fn without_next_hops(
    set: &NextHopSet,
    gone: &NextHopSet,
) -> Option<Option<NextHopSet>> {
    let (NextHopSource::Inline(hops), NextHopSource::Inline(gone_hops)) =
        (&set.next_hops, &gone.next_hops)
    else {
        return None;
    };
    let held = |next_hop: &NextHop| hops.iter().any(|hop| same_next_hop(hop, next_hop));
    if set.route_type != gone.route_type || gone_hops.is_empty() || !gone_hops.iter().all(held) {
        return None;
    }
    let stays = |hop: &&NextHop| {
        !gone_hops
            .iter()
            .any(|next_hop| same_next_hop(hop, next_hop))
    };
    let mut rest: smallvec::SmallVec<[NextHop; 1]> = hops.iter().filter(stays).cloned().collect();
    if let [only] = rest.as_mut_slice() {
        // The kernel shows a weight only with several next hops.
        only.weight = 1;
    }
    if rest.is_empty() {
        return Some(None);
    }
    Some(Some(NextHopSet {
        next_hops: NextHopSource::Inline(rest),
        ..set.clone()
    }))
}
