//! Source-specific IPv6 routes (`ip -6 route add … from PREFIX`). VPP's FIB looks at no packet's
//! source, so it has none of them: they are kept to be listed and counted, apart from the
//! others, which they neither hide nor replace.

use crate::route::{NextHopSet, Prefix, RouteKey};

use crate::table::Table;
use crate::table::kernel::kernel_order::{self, InsertMode};
use crate::table::kernel::kernel_removal::{self, Withdrawn};
use crate::table::kernel::source_specific_routes::{MAX_KEPT, SourceSpecificKey};
use crate::table::kernel::update::{Announcement, in_order};
use crate::table::store::entry::{KernelRoute, Routes};
use crate::table::store::ids::SetId;
use crate::table::store::interner::Interner;

impl Table {
    /// Adds a route for packets from `source` alone, which VPP cannot have; those out of scope are
    /// ignored. Returns false where it is not kept, as there are too many.
    pub fn announce_source_specific(
        &mut self,
        source: Prefix,
        announcement: Announcement,
        set: NextHopSet,
        insert_mode: InsertMode,
    ) -> bool {
        let key = announcement.key;
        let family = key.prefix.family();
        if self.rib_index(family, key.table).is_none() || !self.scope.prefixes.allow(&key.prefix) {
            return true;
        }
        let route_key = (key.table, key.prefix, source);
        if insert_mode.from_dump() && !self.source_specific.is_open(&route_key) {
            return true;
        }
        let known = &self.source_specific.routes;
        if known.len() >= MAX_KEPT && !known.contains_key(&route_key) {
            return false;
        }
        let generation = self.resyncs.generation();
        let new = KernelRoute {
            metric: key.metric,
            set: self.resolver.acquire(in_order(set)),
            tos: key.tos,
            protocol: announcement.protocol,
            generation,
            expired: announcement.expired,
        };
        self.change_source_specific(route_key, |routes, sets| {
            let announced = kernel_order::announce(routes, new, insert_mode, family, sets);
            announced.unused(new.set).collect()
        });
        if !insert_mode.from_dump() {
            self.source_specific.notify(route_key, generation);
        }
        true
    }

    /// Removes a route for packets from `source` alone, or some of its next hops.
    pub fn withdraw_source_specific(
        &mut self,
        source: Prefix,
        key: RouteKey,
        protocol: u8,
        set: NextHopSet,
    ) {
        let route_key = (key.table, key.prefix, source);
        if let Some(routes) = self.source_specific.routes.get(&route_key) {
            let gone = (key.tos, key.metric, protocol);
            let withdrawn =
                kernel_removal::withdraw(routes, gone, &in_order(set), &self.resolver.sets);
            self.remove_source_specific(route_key, withdrawn);
        }
        self.source_specific
            .notify(route_key, self.resyncs.generation());
    }

    fn remove_source_specific(&mut self, route_key: SourceSpecificKey, withdrawn: Withdrawn) {
        let (at, rest) = match withdrawn {
            Withdrawn::Nothing => return,
            Withdrawn::Whole(at) => (at, None),
            Withdrawn::NextHops(at, rest) => (at, Some(self.resolver.acquire(rest))),
        };
        self.change_source_specific(route_key, |routes, _| match (rest, routes.get_mut(at)) {
            (_, None) => rest.into_iter().collect(),
            (Some(set), Some(route)) => vec![std::mem::replace(&mut route.set, set)],
            (None, Some(_)) => vec![routes.remove(at).set],
        });
    }

    /// Changes the routes of a key; releases the sets that `change` returns.
    fn change_source_specific(
        &mut self,
        route_key: SourceSpecificKey,
        change: impl FnOnce(&mut Routes, &Interner<NextHopSet>) -> Vec<SetId>,
    ) {
        let before = self
            .source_specific
            .routes
            .remove(&route_key)
            .unwrap_or_default();
        let mut routes = before.clone();
        let released = change(&mut routes, &self.resolver.sets);
        self.count_foreign(&before, &routes);
        released
            .into_iter()
            .for_each(|set| self.resolver.release(set));
        if !routes.is_empty() {
            self.source_specific.routes.insert(route_key, routes);
        }
    }

    /// Removes the routes that `gone` selects.
    pub(super) fn sweep_source_specific(&mut self, gone: impl Fn(&KernelRoute) -> bool) {
        let concerned = |(route_key, routes): (&SourceSpecificKey, &Routes)| {
            routes.iter().any(&gone).then_some(*route_key)
        };
        let keys: Vec<SourceSpecificKey> = self
            .source_specific
            .routes
            .iter()
            .filter_map(concerned)
            .collect();
        for route_key in keys {
            self.change_source_specific(route_key, |routes, _| {
                let swept = routes
                    .iter()
                    .filter(|route| gone(route))
                    .map(|route| route.set);
                let swept = swept.collect();
                routes.retain(|route| !gone(route));
                swept
            });
        }
    }

    /// The mirrored ones in the order of table, destination and source.
    pub(in crate::table) fn source_specific_routes(
        &self,
    ) -> impl Iterator<Item = (&SourceSpecificKey, &KernelRoute)> {
        let kept = self.source_specific.routes.iter();
        let all =
            kept.flat_map(|(route_key, routes)| routes.iter().map(move |route| (route_key, route)));
        all.filter(|(_, route)| self.scope.mirrors(route.protocol))
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::route::{Family, NextHop, NextHopSource, RouteType};
    use crate::table::Scope;

    #[test]
    fn so_many_are_kept() {
        let mut table = Table::new(Scope::default());
        let announce = |table: &mut Table, number: u8| {
            let prefix = Prefix::v6(u128::from(number) << 80, 48);
            let hops = NextHopSource::Inline(smallvec![NextHop::new(None, 2)]);
            let announcement = Announcement {
                key: RouteKey::new(254, prefix),
                protocol: 12,
                expired: false,
            };
            let set = NextHopSet::new(Family::V6, RouteType::Unicast, hops);
            table.announce_source_specific(Prefix::v6(0, 16), announcement, set, InsertMode::Append)
        };
        for number in 0..4 {
            assert!(announce(&mut table, number));
        }
        assert!(!announce(&mut table, 4));
        assert!(announce(&mut table, 3), "a known one changes");
        assert_eq!(table.source_specific_routes().count(), MAX_KEPT);
        assert_eq!(table.held_routes()["source_specific"], MAX_KEPT);
        table.sweep_source_specific(|_| true);
        assert_eq!(
            (table.source_specific_routes().count(), table.sets().0),
            (0, 0)
        );
    }
}
