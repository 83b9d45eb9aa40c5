//! Withdrawals, and routes that are removed without one.

use crate::route::{Family, NextHopSet, NextHopSource, Route, RouteKey};

use crate::table::Table;
use crate::table::kernel::ecmp;
use crate::table::kernel::kernel_removal::{self, Withdrawn};
use crate::table::kernel::resync_state::{Touch, Verify};
use crate::table::kernel::update::in_order;
use crate::table::store::entry::{EntryState, KernelRoute, Routes, flag};
use crate::table::store::ids::Handle;

impl Table {
    /// Removes a route; `route` may name only some of the next hops of an IPv6 route. Returns what
    /// this leaves uncertain: each remaining next hop keeps its own protocol, and only the first
    /// one's is known; and IPv6 routes that a multipath route hid from dumps may be gone.
    pub fn withdraw(&mut self, route: Route) -> Verify {
        let Route { key, protocol, set } = route;
        let set = in_order(set);
        if self.rib_index(key.prefix.family(), key.table).is_none() {
            return Verify::Nothing;
        }
        self.apply_deferred_to(&key);
        let mut verify = Verify::Nothing;
        let removed = self.handle_of(&key).is_some_and(|handle| {
            let Some(routes) = self.rib(handle).map(|rib| rib.routes(handle.slot)) else {
                return false;
            };
            let sets = &self.resolver.sets;
            let gone =
                kernel_removal::withdraw(&routes, (key.tos, key.metric, protocol), &set, sets);
            verify = match &gone {
                // The first next hop decides the position of the whole route among others.
                Withdrawn::NextHops(..) if routes.len() > 1 => Verify::OfEverything,
                Withdrawn::NextHops(_, left) => {
                    first_interface(left).map_or(Verify::Nothing, Verify::OfInterface)
                }
                Withdrawn::Whole(_) if routes.len() > 1 && ecmp::is_v6_multipath(&set) => {
                    Verify::OfEverything
                }
                _ => Verify::Nothing,
            };
            self.take_away(handle, routes, gone)
        });
        if !removed && self.scope.prefixes.allow(&key.prefix) {
            self.anomalies.unknown_withdrawals += 1;
        }
        self.touch(key, Touch::Withdrawn { protocol, set });
        verify
    }

    fn take_away(&mut self, handle: Handle, mut routes: Routes, gone: Withdrawn) -> bool {
        match gone {
            Withdrawn::Nothing => return false,
            Withdrawn::Whole(at) => self.drop_route(handle, &mut routes, at),
            Withdrawn::NextHops(at, rest) => {
                let set = self.resolver.acquire(rest);
                let generation = self.resyncs.generation();
                if let Some(route) = routes.get_mut(at) {
                    let old = std::mem::replace(&mut route.set, set);
                    route.generation = generation;
                    self.resolver.release(old);
                }
            }
        }
        self.store_routes(handle, routes);
        true
    }

    pub(in crate::table) fn drop_route(&mut self, handle: Handle, routes: &mut Routes, at: usize) {
        if at >= routes.len() {
            return;
        }
        let route = routes.remove(at);
        self.resolver.release(route.set);
        if let Some(family) = self
            .rib(handle)
            .map(crate::table::store::any_rib::AnyRib::family)
        {
            let counts = self.counts_mut(family);
            counts.kernel = counts.kernel.saturating_sub(1);
        }
    }

    /// Removes every kernel route of `families` that `stale` selects, except those `spared` because
    /// of others of their prefix; returns their number.
    pub(in crate::table) fn remove_routes(
        &mut self,
        families: &[Family],
        stale: impl Fn(&KernelRoute) -> bool,
        spared: impl Fn(&Routes, &KernelRoute) -> bool,
        mut on_removed: impl FnMut(RouteKey),
    ) -> usize {
        let goes = |routes: &Routes| {
            let gone = |route: &KernelRoute| stale(route) && !spared(routes, route);
            routes.iter().position(gone)
        };
        // Nearly every prefix has one route, stored in the entry: avoid a list for those.
        let suspect = |entry: &EntryState| {
            entry.has(flag::OVERFLOW) || entry.route().is_some_and(|route| stale(&route))
        };
        let mut removed = 0;
        for rib in self.ribs_of(families) {
            let mut from = 0;
            let next = |table: &Self, from| table.ribs.get(usize::from(rib))?.next(from, suspect);
            while let Some(slot) = next(self, from) {
                removed += self.remove_routes_at(Handle { rib, slot }, goes, &mut on_removed);
                from = slot.saturating_add(1);
            }
        }
        removed
    }

    /// Whether one of a prefix's routes is mirrored. If none is, nothing verifies them after an event,
    /// and a difference says nothing about VPP.
    pub(super) fn has_mirrored(&self, routes: &Routes) -> bool {
        routes
            .iter()
            .any(|route| self.scope.mirrors(route.protocol))
    }

    /// Calls `on_removed` for the routes of prefixes that have a mirrored one; returns the number of
    /// all that were removed.
    pub(in crate::table) fn remove_routes_at(
        &mut self,
        handle: Handle,
        goes: impl Fn(&Routes) -> Option<usize>,
        mut on_removed: impl FnMut(RouteKey),
    ) -> usize {
        let Some(rib) = self.rib(handle) else {
            return 0;
        };
        let (table, prefix) = (rib.kernel_table, rib.prefix(handle.slot));
        let mut routes = rib.routes(handle.slot);
        let before = routes.len();
        while let Some(at) = goes(&routes) {
            if let (Some(prefix), Some(route)) = (prefix, routes.get(at)) {
                if self.scope.mirrors(route.protocol) || self.has_mirrored(&routes) {
                    on_removed(RouteKey {
                        table,
                        prefix,
                        tos: route.tos,
                        metric: route.metric,
                    });
                }
            }
            self.drop_route(handle, &mut routes, at);
        }
        let removed = before - routes.len();
        if removed > 0 {
            self.store_routes(handle, routes);
        }
        removed
    }
}

fn first_interface(set: &NextHopSet) -> Option<u32> {
    match &set.next_hops {
        NextHopSource::Inline(hops) => hops.first().map(|hop| hop.interface),
        NextHopSource::Object(_) => None,
    }
}
