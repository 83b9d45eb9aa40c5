//! How the kernel orders, merges and removes the routes of one prefix.
//!
//! Follows `fib_table_insert` in `net/ipv4/fib_trie.c` and `fib6_add_rt2node` in
//! `net/ipv6/ip6_fib.c`: the notifications say what was added, not where it went.

use std::ops::Range;

use crate::route::{
    Family, NextHop, NextHopSet, NextHopSource, RTPROT_RA, RouteType, RouterPreference,
};

use crate::table::store::entry::{KernelRoute, Routes};
use crate::table::store::ids::SetId;
use crate::table::store::interner::Interner;

/// The position of a new route among those with the same key (flags of `RTM_NEWROUTE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertMode {
    /// `NLM_F_REPLACE`: replaces the first.
    Replace,
    /// `NLM_F_APPEND`: after the others.
    Append,
    /// Neither flag: before the others.
    Prepend,
    /// From a complete dump: after what the dump has shown so far.
    Dump,
    /// From a partial dump, which does not show the order.
    PartialDump,
    /// The only route of its prefix, from zebra: replaces all others.
    Sole,
}

impl InsertMode {
    /// Whether a dump, not a notification, showed the route.
    #[must_use]
    pub const fn from_dump(self) -> bool {
        matches!(self, InsertMode::Dump | InsertMode::PartialDump)
    }
}

/// What an announcement did to the list.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::table) enum Announced {
    /// The same route existed: only its generation changed.
    Known,
    /// The same route existed at another position: the best route may have changed.
    Moved,
    /// The same route existed, and the kernel has stopped or resumed using it.
    Expiry,
    /// The kernel has changed it without a message; the set that it had before.
    Changed(SetId),
    /// It is new; the set that it replaced, if any.
    Added(Option<SetId>),
    /// The same route existed, left over from before messages were lost: it is removed, and the new
    /// one has replaced a route with this set.
    ReplacedDuplicate(SetId),
}

/// Inserts `new` into the routes of its prefix.
pub(in crate::table) fn announce(
    routes: &mut Routes,
    new: KernelRoute,
    placement: InsertMode,
    family: Family,
    sets: &Interner<NextHopSet>,
) -> Announced {
    let range = same_key(routes, new.tos, new.metric);
    if placement.from_dump() {
        if let Some(at) = changed_in_silence(routes, range.clone(), &new, sets) {
            let old = routes.get_mut(at).map(|route| {
                route.expired = new.expired;
                std::mem::replace(&mut route.set, new.set)
            });
            seen_again(routes, range, at, new.generation, placement);
            return Announced::Changed(old.unwrap_or(new.set));
        }
    }
    let target = match family {
        Family::V4 => (placement == InsertMode::Replace).then_some(range.start),
        Family::V6 => v6_target(routes, range.clone(), new, placement, sets),
    };
    // IPv6 replaces the first route that it can, even if an equal one follows; but if that first
    // one is by a next-hop object, the object was more likely replaced.
    let by_object = sets.get(new.set.0).is_some_and(by_object);
    let known = match (family, placement, target) {
        (Family::V6, InsertMode::Replace, Some(at)) if !by_object => {
            duplicate(routes, at..at + 1, &new)
        }
        _ => duplicate(routes, range.clone(), &new),
    };
    if let (Family::V4, Some(first), Some(at)) = (family, target, known) {
        if at > first && !by_object {
            // IPv4 refuses to replace the first if an equal route exists already.
            return replaced_duplicate(routes, first, at, new);
        }
    }
    if let Some(at) = known {
        let expiry = routes
            .get_mut(at)
            .is_some_and(|route| std::mem::replace(&mut route.expired, new.expired) != new.expired);
        let moved = seen_again(routes, range, at, new.generation, placement);
        return match (moved, expiry) {
            (true, _) => Announced::Moved,
            (false, true) => Announced::Expiry,
            (false, false) => Announced::Known,
        };
    }
    if let Some(at) = target.filter(|at| range.contains(at)) {
        if let Some(old) = routes.get_mut(at) {
            // Routes that IPv6 merges keep the protocol of the first of them.
            let merged = family == Family::V6
                && matches!(placement, InsertMode::Append | InsertMode::Prepend);
            let protocol = if merged { old.protocol } else { new.protocol };
            let replaced = *old;
            *old = KernelRoute {
                protocol,
                generation: replaced.generation,
                ..new
            };
            seen_again(routes, range, at, new.generation, placement);
            return Announced::Added(Some(replaced.set));
        }
    }
    let at = match (family, placement) {
        (Family::V4, InsertMode::Prepend) => range.start,
        (_, InsertMode::Dump) => {
            let unseen = |at: &usize| {
                routes
                    .get(*at)
                    .is_some_and(|route| route.generation != new.generation)
            };
            range.clone().find(unseen).unwrap_or(range.end)
        }
        _ => range.end,
    };
    routes.insert(at, new);
    Announced::Added(None)
}

fn same_key(routes: &Routes, tos: u8, metric: u32) -> Range<usize> {
    let key = |route: &KernelRoute| (route.metric, route.tos);
    let start = routes.partition_point(|route| key(route) < (metric, tos));
    let end = routes.partition_point(|route| key(route) <= (metric, tos));
    start..end
}

/// Whether the route uses a next-hop object.
pub(in crate::table) fn by_object(set: &NextHopSet) -> bool {
    matches!(set.next_hops, NextHopSource::Object(_))
}

/// The position of an equal route, preferably one that the resync has not seen: a dump may show
/// two.
fn duplicate(routes: &Routes, range: Range<usize>, new: &KernelRoute) -> Option<usize> {
    let mut equal = range.filter(|at| {
        let route = routes.get(*at);
        route.is_some_and(|r| r.set == new.set && r.protocol == new.protocol)
    });
    let unseen = |at: &usize| {
        let route = routes.get(*at);
        route.is_some_and(|route| route.generation != new.generation)
    };
    equal.clone().find(unseen).or_else(|| equal.next())
}

/// The position of the route that the kernel has changed without a message, and that a dump shows
/// with other flags (`RTNH_F_DEAD`). Were it added beside the old one, a withdrawal during the dump
/// would remove only one of the two.
fn changed_in_silence(
    routes: &Routes,
    range: Range<usize>,
    new: &KernelRoute,
    sets: &Interner<NextHopSet>,
) -> Option<usize> {
    let shown = sets.get(new.set.0)?;
    let same = |route: &KernelRoute| {
        route.protocol == new.protocol
            && sets
                .get(route.set.0)
                .is_some_and(|set| is_same_route(set, shown))
    };
    let mut alike = range.filter(|at| routes.get(*at).is_some_and(same));
    let only = alike.next().filter(|_| alike.next().is_none())?;
    let route = routes.get(only)?;
    (route.generation != new.generation && route.set != new.set).then_some(only)
}

/// A dump shows routes in the kernel's order, so the next one follows those already shown and
/// precedes all others. Returns whether the position changed.
fn seen_again(
    routes: &mut Routes,
    mut range: Range<usize>,
    at: usize,
    generation: u8,
    placement: InsertMode,
) -> bool {
    let Some(known) = routes.get(at).copied() else {
        return false;
    };
    let unseen = |route: &KernelRoute| route.generation != generation;
    let place = range
        .find(|place| routes.get(*place).is_some_and(unseen))
        .unwrap_or(at);
    if let Some(route) = routes.get_mut(at) {
        route.generation = generation;
    }
    let moves = placement == InsertMode::Dump && unseen(&known) && place < at;
    if moves {
        let route = routes.remove(at);
        routes.insert(place, route);
    }
    moves
}

/// Replaces the first route of the key by the new one, and removes its duplicate behind that.
fn replaced_duplicate(
    routes: &mut Routes,
    first: usize,
    twin: usize,
    new: KernelRoute,
) -> Announced {
    if twin < routes.len() {
        routes.remove(twin);
    }
    match routes.get_mut(first) {
        Some(place) => Announced::ReplacedDuplicate(std::mem::replace(place, new).set),
        None => Announced::Known,
    }
}

/// The route that an IPv6 announcement replaces: IPv6 merges routes with gateways into one
/// multipath route, and announces the whole of it even if one next hop was added.
fn v6_target(
    routes: &Routes,
    range: Range<usize>,
    new: KernelRoute,
    placement: InsertMode,
    sets: &Interner<NextHopSet>,
) -> Option<usize> {
    let set_of = |route: &KernelRoute| sets.get(route.set.0);
    let new_set = set_of(&new)?;
    let find = |is: &dyn Fn(&KernelRoute, &NextHopSet) -> bool| {
        range.clone().find(|at| {
            let route = routes.get(*at);
            route.is_some_and(|route| set_of(route).is_some_and(|set| is(route, set)))
        })
    };
    let qualifies = qualifies_for_ecmp(new.protocol, new_set);
    match placement {
        InsertMode::Replace => {
            // A router advertisement replaces nothing but its own route, of another preference
            // (`ndisc_router_discovery`).
            let advertised = |route: &KernelRoute, set: &NextHopSet| {
                may_be_advertised(new.protocol, new_set)
                    && may_be_advertised(route.protocol, set)
                    && holds_legs(new_set, set)
            };
            // Otherwise a program sent this, whatever its protocol.
            let merges = merges(new_set);
            find(&advertised)
                .or_else(|| find(&|route, set| qualifies_for_ecmp(route.protocol, set) == merges))
                .or(Some(range.start))
        }
        // Routes with gateways merge, wherever their next hops came from.
        _ if merges(new_set) => {
            find(&|_, set| merges(set) && holds_legs(new_set, set)).or_else(|| {
                // A key has at most one merged route. If the same dump has already shown one, these
                // two do not merge, for whatever reason.
                let shown = |route: &KernelRoute| {
                    placement.from_dump() && route.generation == new.generation
                };
                let was = |route: &KernelRoute, set: &NextHopSet| {
                    qualifies_for_ecmp(route.protocol, set) && !shown(route)
                };
                qualifies.then(|| find(&was)).flatten()
            })
        }
        _ => None,
    }
}

/// The preference that the kernel shows for the IPv6 route that this notification adds next hops
/// to, if the message has another one: each next hop has its own; a notification shows that of the
/// added one, a dump that of the first (`rt6_fill_node`).
pub(in crate::table) fn preference_of_first(
    routes: &Routes,
    new: KernelRoute,
    placement: InsertMode,
    sets: &Interner<NextHopSet>,
) -> Option<RouterPreference> {
    let set = sets.get(new.set.0).filter(|set| is_v6_multipath(set))?;
    if !matches!(placement, InsertMode::Append | InsertMode::Prepend) {
        return None;
    }
    let range = same_key(routes, new.tos, new.metric);
    let at = v6_target(routes, range, new, placement, sets)?;
    let first = sets.get(routes.get(at)?.set.0)?.preference;
    (first != set.preference).then_some(first)
}

/// Whether IPv6 merges a route with others of its key, as far as the message shows
/// (`rt6_qualify_for_ecmp`). The kernel does not merge routes of router advertisements
/// (`RTF_ADDRCONF`), but does merge those that a program adds with that protocol; a route with
/// several next hops has been merged.
fn qualifies_for_ecmp(protocol: u8, set: &NextHopSet) -> bool {
    merges(set) && (several(set) || protocol != RTPROT_RA)
}

/// Whether the route comes from a router advertisement, or from a program that uses its protocol:
/// messages do not show which.
pub(in crate::table) fn may_be_advertised(protocol: u8, set: &NextHopSet) -> bool {
    protocol == RTPROT_RA && merges(set) && !qualifies_for_ecmp(protocol, set)
}

/// Whether all next hops of `known` are in `set`.
fn holds_legs(set: &NextHopSet, known: &NextHopSet) -> bool {
    match (&set.next_hops, &known.next_hops) {
        (NextHopSource::Inline(hops), NextHopSource::Inline(legs)) => legs
            .iter()
            .all(|leg| hops.iter().any(|hop| same_leg(hop, leg))),
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

/// What a withdrawal does to the list.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::table) enum Withdrawn {
    /// The route at this position is removed.
    Whole(usize),
    /// The IPv6 route at this position loses next hops and keeps this set.
    Legs(usize, NextHopSet),
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
    let twins = |(_, _, set): &(usize, &KernelRoute, &NextHopSet)| is_same_route(set, gone);
    let mut alike = candidates().filter(equal);
    if let Some((at, ..)) = alike.clone().find(twins).or_else(|| alike.next()) {
        return Withdrawn::Whole(at);
    }
    if gone.family == Family::V6 {
        let left =
            |(at, _, set): (usize, &KernelRoute, &NextHopSet)| Some((at, without_legs(set, gone)?));
        match candidates().find_map(left) {
            Some((at, None)) => return Withdrawn::Whole(at),
            Some((at, Some(rest))) => return Withdrawn::Legs(at, rest),
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

/// Equal except for what the kernel changes without a message (`RTNH_F_DEAD`).
fn same_forwarding(a: &NextHopSet, b: &NextHopSet) -> bool {
    match (&a.next_hops, &b.next_hops) {
        // A route by an object has type blackhole while its object is one, so the same route can be
        // announced with one type and withdrawn with another.
        (NextHopSource::Object(a), NextHopSource::Object(b)) => a == b,
        (NextHopSource::Inline(hops), NextHopSource::Inline(others)) => {
            let same = |(a, b): (&NextHop, &NextHop)| same_leg(a, b) && a.weight == b.weight;
            a.route_type == b.route_type
                && hops.len() == others.len()
                && hops.iter().zip(others).all(same)
        }
        _ => false,
    }
}

/// Equal in all that tells two routes of a key apart.
fn is_same_route(a: &NextHopSet, b: &NextHopSet) -> bool {
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

fn same_leg(a: &NextHop, b: &NextHop) -> bool {
    let of = |hop: &NextHop| (hop.gateway, hop.interface, hop.encapsulation, hop.digest);
    of(a) == of(b) && a.labels == b.labels
}

/// `set` without the next hops of `gone`: none if it does not contain them all, `Some(None)` if
/// none remain.
fn without_legs(set: &NextHopSet, gone: &NextHopSet) -> Option<Option<NextHopSet>> {
    let (NextHopSource::Inline(hops), NextHopSource::Inline(gone_hops)) =
        (&set.next_hops, &gone.next_hops)
    else {
        return None;
    };
    let held = |leg: &NextHop| hops.iter().any(|hop| same_leg(hop, leg));
    if set.route_type != gone.route_type || gone_hops.is_empty() || !gone_hops.iter().all(held) {
        return None;
    }
    let stays = |hop: &&NextHop| !gone_hops.iter().any(|leg| same_leg(hop, leg));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    struct List {
        family: Family,
        routes: Routes,
        sets: Interner<NextHopSet>,
    }

    impl List {
        fn new(family: Family) -> Self {
            Self {
                family,
                routes: Routes::new(),
                sets: Interner::new(),
            }
        }

        fn set(&self, hops: &[&str]) -> NextHopSet {
            let hop = |text: &&str| NextHop::new(text.parse::<IpAddr>().ok(), 2);
            NextHopSet::new(
                self.family,
                RouteType::Unicast,
                NextHopSource::Inline(hops.iter().map(hop).collect()),
            )
        }

        fn add(&mut self, metric: u32, hops: &[&str], placement: InsertMode) -> Announced {
            let set = SetId(self.sets.acquire(self.set(hops)));
            let new = KernelRoute {
                metric,
                set,
                tos: 0,
                protocol: 12,
                generation: 0,
                expired: false,
            };
            announce(&mut self.routes, new, placement, self.family, &self.sets)
        }

        fn remove(&self, metric: u32, hops: &[&str]) -> Withdrawn {
            withdraw(&self.routes, (0, metric, 12), &self.set(hops), &self.sets)
        }

        fn text(&self) -> Vec<String> {
            let gateways = |set: &NextHopSet| match &set.next_hops {
                NextHopSource::Inline(hops) => hops
                    .iter()
                    .map(|h| h.gateway.map_or("device".to_owned(), |g| g.to_string()))
                    .collect::<Vec<_>>()
                    .join("+"),
                NextHopSource::Object(id) => id.to_string(),
            };
            let line = |r: &KernelRoute| {
                format!("{} {}", r.metric, gateways(self.sets.get(r.set.0).unwrap()))
            };
            self.routes.iter().map(line).collect()
        }
    }

    #[test]
    fn v4_orders_by_metric_then_by_placement() {
        let mut list = List::new(Family::V4);
        list.add(20, &["10.0.0.1"], InsertMode::Prepend);
        list.add(10, &["10.0.0.2"], InsertMode::Prepend);
        list.add(10, &["10.0.0.3"], InsertMode::Append);
        list.add(10, &["10.0.0.4"], InsertMode::Prepend);
        assert_eq!(
            list.text(),
            ["10 10.0.0.4", "10 10.0.0.2", "10 10.0.0.3", "20 10.0.0.1"]
        );
    }

    #[test]
    fn v4_replace_takes_the_first_of_its_key_only() {
        let mut list = List::new(Family::V4);
        list.add(10, &["10.0.0.1"], InsertMode::Prepend);
        list.add(10, &["10.0.0.2"], InsertMode::Append);
        list.add(10, &["10.0.0.3"], InsertMode::Replace);
        assert_eq!(list.text(), ["10 10.0.0.3", "10 10.0.0.2"]);
        assert!(matches!(
            list.add(10, &["10.0.0.3"], InsertMode::Replace),
            Announced::Known
        ));
    }

    #[test]
    fn v6_gateways_merge_and_devices_do_not() {
        let mut list = List::new(Family::V6);
        list.add(1024, &["fe80::1"], InsertMode::Prepend);
        list.add(1024, &["fe80::1", "fe80::2"], InsertMode::Append);
        list.add(1024, &[""], InsertMode::Append);
        assert_eq!(list.text(), ["1024 fe80::1+fe80::2", "1024 device"]);
        list.add(1024, &["fe80::3"], InsertMode::Replace);
        assert_eq!(list.text(), ["1024 fe80::3", "1024 device"]);
    }

    #[test]
    fn v6_withdrawal_of_a_leg_leaves_the_others() {
        let mut list = List::new(Family::V6);
        list.add(1024, &["fe80::1", "fe80::2"], InsertMode::Replace);
        let rest = list.set(&["fe80::2"]);
        assert_eq!(list.remove(1024, &["fe80::1"]), Withdrawn::Legs(0, rest));
        assert_eq!(
            list.remove(1024, &["fe80::1", "fe80::2"]),
            Withdrawn::Whole(0)
        );
        assert_eq!(list.remove(1, &["fe80::1"]), Withdrawn::Nothing);
    }

    #[test]
    fn a_withdrawal_prefers_the_exact_route() {
        let mut list = List::new(Family::V4);
        list.add(10, &["10.0.0.1"], InsertMode::Prepend);
        list.add(10, &["10.0.0.2"], InsertMode::Append);
        assert_eq!(list.remove(10, &["10.0.0.2"]), Withdrawn::Whole(1));
        assert_eq!(list.remove(10, &["10.0.0.9"]), Withdrawn::Nothing);
        assert_eq!(list.remove(10, &[]), Withdrawn::Whole(0));
    }

    #[test]
    fn a_leg_that_died_in_silence_is_still_the_same_leg() {
        let list = List::new(Family::V4);
        let alive = list.set(&["10.0.0.1", "10.0.0.2"]);
        let mut dead = alive.clone();
        if let NextHopSource::Inline(hops) = &mut dead.next_hops {
            hops[0].dead = true;
        }
        assert!(same_forwarding(&alive, &dead));
    }
}
