//! How the kernel orders and merges the routes of one prefix.
//!
//! Follows `fib_table_insert` in `net/ipv4/fib_trie.c` and `fib6_add_rt2node` in
//! `net/ipv6/ip6_fib.c`: the notifications say what was added, not where it went.

use std::ops::Range;

use crate::route::{Family, NextHopSet, RouterPreference};

use crate::table::kernel::ecmp::{
    holds_next_hops, is_same_route, is_v6_multipath, may_be_advertised, merges, qualifies_for_ecmp,
    same_forwarding,
};
use crate::table::store::entry::{KernelRoute, Routes};
use crate::table::store::ids::SetId;
use crate::table::store::interner::Interner;

/// The position of a new route among those with the same key (flags of `RTM_NEWROUTE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertMode {
    /// `NLM_F_REPLACE`: replaces the first.
    Replace,
    /// The same in answer to the request that replaced the route's next-hop object
    /// (`nexthop_replace_notify`): the route keeps its position.
    ReplacedObject,
    /// `NLM_F_APPEND`: after the others.
    Append,
    /// Neither flag: before the others.
    Prepend,
    /// From a complete dump: after what the dump has shown so far.
    Dump,
    /// From a partial dump, which does not show the order.
    PartialDump,
    /// The only route of its prefix, from zebra: replaces all others.
    Only,
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

impl Announced {
    /// The sets to which a reference is left over: that of the announcement, `new`, or of what it
    /// replaced.
    pub(in crate::table) fn unused(&self, new: SetId) -> impl Iterator<Item = SetId> + use<> {
        let unused = match *self {
            Announced::Known | Announced::Moved | Announced::Expiry => [Some(new), None],
            Announced::Changed(old) => [Some(old), None],
            Announced::Added(old) => [old, None],
            Announced::ReplacedDuplicate(old) => [Some(new), Some(old)],
        };
        unused.into_iter().flatten()
    }
}

/// Inserts `new` into the routes of its prefix.
pub(in crate::table) fn announce(
    routes: &mut Routes,
    new: KernelRoute,
    insert_mode: InsertMode,
    family: Family,
    sets: &Interner<NextHopSet>,
) -> Announced {
    let range = same_key(routes, new.tos, new.metric);
    if insert_mode.from_dump() {
        if let Some(at) = changed_without_message(routes, range.clone(), &new, sets) {
            return update_changed(routes, range, at, new, insert_mode);
        }
    }
    if insert_mode == InsertMode::ReplacedObject {
        return announce_again(routes, range, new, sets);
    }
    let target = match family {
        Family::V4 => (insert_mode == InsertMode::Replace).then_some(range.start),
        Family::V6 => v6_target(routes, range.clone(), new, insert_mode, sets),
    };
    // IPv6 replaces the first route that it can, even if an equal one follows.
    let known = match (family, insert_mode, target) {
        (Family::V6, InsertMode::Replace, Some(at)) => duplicate(routes, at..at + 1, &new),
        _ => duplicate(routes, range.clone(), &new),
    };
    if let (Family::V4, Some(first), Some(at)) = (family, target, known) {
        if at > first {
            // IPv4 refuses to replace the first if an equal route exists already.
            return replaced_duplicate(routes, first, at, new);
        }
    }
    if let Some(at) = known {
        return update_known(routes, range, at, new, insert_mode);
    }
    if let Some(at) = target.filter(|at| range.contains(at)) {
        // Routes that IPv6 merges keep the protocol of the first of them.
        let merged =
            family == Family::V6 && matches!(insert_mode, InsertMode::Append | InsertMode::Prepend);
        let replaced = replace_at(routes, at, new, merged);
        if replaced.is_some() {
            seen_again(routes, range, at, new.generation, insert_mode);
            return Announced::Added(replaced);
        }
    }
    let at = match (family, insert_mode) {
        (Family::V4, InsertMode::Prepend) => range.start,
        (_, InsertMode::Dump) => {
            first_unseen(routes, range.clone(), new.generation).unwrap_or(range.end)
        }
        _ => range.end,
    };
    routes.insert(at, new);
    Announced::Added(None)
}

/// Updates a route whose next-hop object was replaced: its type may have changed with that.
fn announce_again(
    routes: &mut Routes,
    range: Range<usize>,
    new: KernelRoute,
    sets: &Interner<NextHopSet>,
) -> Announced {
    if let Some(at) = duplicate(routes, range.clone(), &new) {
        return update_known(routes, range, at, new, InsertMode::ReplacedObject);
    }
    let same_object = |route: &KernelRoute| {
        let both = sets.get(route.set.0).zip(sets.get(new.set.0));
        route.protocol == new.protocol && both.is_some_and(|(a, b)| same_forwarding(a, b))
    };
    let place = range
        .clone()
        .find(|at| routes.get(*at).is_some_and(same_object));
    match place {
        Some(at) => Announced::Added(replace_at(routes, at, new, false)),
        None => {
            routes.insert(range.end, new);
            Announced::Added(None)
        }
    }
}

/// Updates the route that the kernel has changed without a message.
fn update_changed(
    routes: &mut Routes,
    range: Range<usize>,
    at: usize,
    new: KernelRoute,
    insert_mode: InsertMode,
) -> Announced {
    let old = routes.get_mut(at).map(|route| {
        route.expired = new.expired;
        std::mem::replace(&mut route.set, new.set)
    });
    seen_again(routes, range, at, new.generation, insert_mode);
    Announced::Changed(old.unwrap_or(new.set))
}

/// Updates the route that equals the new one.
fn update_known(
    routes: &mut Routes,
    range: Range<usize>,
    at: usize,
    new: KernelRoute,
    insert_mode: InsertMode,
) -> Announced {
    let expiry = routes
        .get_mut(at)
        .is_some_and(|route| std::mem::replace(&mut route.expired, new.expired) != new.expired);
    let moved = seen_again(routes, range, at, new.generation, insert_mode);
    match (moved, expiry) {
        (true, _) => Announced::Moved,
        (false, true) => Announced::Expiry,
        (false, false) => Announced::Known,
    }
}

/// Replaces the route at a position, except for its generation and, if `keeps_protocol`, its
/// protocol. Returns its set.
fn replace_at(
    routes: &mut Routes,
    at: usize,
    new: KernelRoute,
    keeps_protocol: bool,
) -> Option<SetId> {
    let old = routes.get_mut(at)?;
    let replaced = *old;
    *old = KernelRoute {
        protocol: if keeps_protocol {
            replaced.protocol
        } else {
            new.protocol
        },
        generation: replaced.generation,
        ..new
    };
    Some(replaced.set)
}

/// The first route that the resync of this generation has not seen.
fn first_unseen(routes: &Routes, mut range: Range<usize>, generation: u8) -> Option<usize> {
    range.find(|at| {
        let route = routes.get(*at);
        route.is_some_and(|route| route.generation != generation)
    })
}

/// The positions of the routes with this TOS and metric.
pub(super) fn same_key(routes: &Routes, tos: u8, metric: u32) -> Range<usize> {
    let key = |route: &KernelRoute| (route.metric, route.tos);
    let start = routes.partition_point(|route| key(route) < (metric, tos));
    let end = routes.partition_point(|route| key(route) <= (metric, tos));
    start..end
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
fn changed_without_message(
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
    range: Range<usize>,
    at: usize,
    generation: u8,
    insert_mode: InsertMode,
) -> bool {
    let Some(known) = routes.get(at).copied() else {
        return false;
    };
    let unseen = known.generation != generation;
    let position = first_unseen(routes, range, generation).unwrap_or(at);
    if let Some(route) = routes.get_mut(at) {
        route.generation = generation;
    }
    let moves = insert_mode == InsertMode::Dump && unseen && position < at;
    if moves {
        let route = routes.remove(at);
        routes.insert(position, route);
    }
    moves
}

/// Replaces the first route of the key by the new one, and removes its duplicate behind that.
fn replaced_duplicate(
    routes: &mut Routes,
    first: usize,
    duplicate: usize,
    new: KernelRoute,
) -> Announced {
    if duplicate < routes.len() {
        routes.remove(duplicate);
    }
    match routes.get_mut(first) {
        Some(old) => Announced::ReplacedDuplicate(std::mem::replace(old, new).set),
        None => Announced::Known,
    }
}

/// The route that an IPv6 announcement replaces: IPv6 merges routes with gateways into one
/// multipath route, and announces the whole of it even if one next hop was added.
fn v6_target(
    routes: &Routes,
    range: Range<usize>,
    new: KernelRoute,
    insert_mode: InsertMode,
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
    match insert_mode {
        InsertMode::Replace => {
            // A router advertisement replaces nothing but its own route, of another preference
            // (`ndisc_router_discovery`).
            let advertised = |route: &KernelRoute, set: &NextHopSet| {
                may_be_advertised(new.protocol, new_set)
                    && may_be_advertised(route.protocol, set)
                    && holds_next_hops(new_set, set)
            };
            // Otherwise a program sent this, whatever its protocol.
            let merges = merges(new_set);
            find(&advertised)
                .or_else(|| find(&|route, set| qualifies_for_ecmp(route.protocol, set) == merges))
                .or_else(|| (!range.is_empty()).then_some(range.start))
        }
        // Routes with gateways merge, wherever their next hops came from.
        _ if merges(new_set) => {
            // A key has at most one merged route. If the same dump has already shown one, these two
            // do not merge, for whatever reason.
            let shown =
                |route: &KernelRoute| insert_mode.from_dump() && route.generation == new.generation;
            let is = |route: &KernelRoute, set: &NextHopSet| {
                !shown(route) && merges(set) && holds_next_hops(new_set, set)
            };
            let was = |route: &KernelRoute, set: &NextHopSet| {
                !shown(route) && qualifies_for_ecmp(route.protocol, set)
            };
            find(&is).or_else(|| qualifies.then(|| find(&was)).flatten())
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
    insert_mode: InsertMode,
    sets: &Interner<NextHopSet>,
) -> Option<RouterPreference> {
    let set = sets.get(new.set.0).filter(|set| is_v6_multipath(set))?;
    if !matches!(insert_mode, InsertMode::Append | InsertMode::Prepend) {
        return None;
    }
    let range = same_key(routes, new.tos, new.metric);
    let at = v6_target(routes, range, new, insert_mode, sets)?;
    let first = sets.get(routes.get(at)?.set.0)?.preference;
    (first != set.preference).then_some(first)
}

#[cfg(test)]
mod tests;
