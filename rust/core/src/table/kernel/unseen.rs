//! What the dumps of a resync did not show.

use std::collections::BTreeSet;

use ahash::AHashSet;

use crate::route::{Family, NextHopSet, Prefix};

use crate::table::Table;
use crate::table::kernel::ecmp;
use crate::table::kernel::resync_state::DumpScope;
use crate::table::resolve::resolver::SetMarks;
use crate::table::resolve::topology::Topology;
use crate::table::store::any_rib::AnyRib;
use crate::table::store::entry::{EntryState, KernelRoute, Routes, flag};

/// Prefixes without a seen route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnseenPrefixes {
    /// Kernel table and prefix.
    pub prefixes: Vec<(u32, Prefix)>,
    /// Those of them that the kernel may have through an IPv6 next-hop object: it caches lookup
    /// results on the object, and answers with the route that the cached result was made for, of
    /// whatever prefix, or with an error once that route is gone (`rt6_get_pcpu_route`).
    pub cached: AHashSet<(u32, Prefix)>,
}

impl Table {
    /// Prefixes whose covered routes were not seen, and those of these families that VPP has and
    /// the kernel has not shown: by kernel table.
    pub fn unseen_prefixes(&mut self, families: &[Family]) -> UnseenPrefixes {
        let Some(dump_scope) = self.resyncs.dump_scope().cloned() else {
            return UnseenPrefixes::default();
        };
        self.ribs.iter_mut().for_each(AnyRib::index_all);
        self.mark_injected_seen();
        let (stale, seen) = (self.staleness(&dump_scope), self.resyncs.seen());
        let objects = !self.resolver.topology.objects.is_empty();
        let by_object = self.resolver.marks(|_, set| set.object().is_some());
        let may_be_by_object = |routes: &Routes| {
            routes.is_empty() || routes.iter().any(|route| by_object.has(route.set))
        };
        let mut found = UnseenPrefixes::default();
        for rib in self
            .ribs_of(families)
            .into_iter()
            .filter_map(|index| self.ribs.get(usize::from(index)))
        {
            let unseen = |slot: u32, prefix: &Prefix, entry: &EntryState| {
                let listed = |routes: &Routes| {
                    routes.iter().any(&stale) && !routes.iter().any(|route| seen.has(route))
                };
                match (entry.has(flag::OVERFLOW), entry.route()) {
                    (true, _) => listed(&rib.routes(slot)),
                    (false, Some(route)) => stale(&route),
                    // The kernel may have what the prefix lists exclude.
                    (false, None) => entry.unconfirmed() && self.scope.prefixes.allow(prefix),
                }
            };
            for slot in 0..rib.slots() {
                let (Some(entry), Some(prefix)) = (rib.entry(slot), rib.prefix(slot)) else {
                    continue;
                };
                if unseen(slot, &prefix, entry) {
                    found.prefixes.push((rib.kernel_table, prefix));
                    if objects && rib.family() == Family::V6 && may_be_by_object(&rib.routes(slot))
                    {
                        found.cached.insert((rib.kernel_table, prefix));
                    }
                }
            }
        }
        found
    }

    /// Selects routes that a resync covered and did not see.
    pub(super) fn staleness(
        &self,
        dump_scope: &DumpScope,
    ) -> impl Fn(&KernelRoute) -> bool + use<> {
        let seen = self.resyncs.seen();
        let covered = match dump_scope {
            DumpScope::Everything => None,
            DumpScope::Interfaces(interfaces) => Some(self.resolver.marks(|topology, set| {
                topology.uses_one_of(set, interfaces) && !may_shrink(topology, set, interfaces)
            })),
        };
        move |route: &KernelRoute| {
            let covers = |marks: &SetMarks| marks.has(route.set);
            !seen.has(route) && covered.as_ref().is_none_or(covers)
        }
    }

    /// Records as uncertain that a resync of some interfaces did not see a route with a next hop
    /// through another one, which the kernel may still have; returns whether there is one. It has
    /// no message for next hops that go with their interface (`skip_notify_on_dev_down`).
    pub fn note_unseen_next_hops(&mut self) -> bool {
        let Some(DumpScope::Interfaces(interfaces)) = self.resyncs.dump_scope() else {
            return false;
        };
        let marks = self.resolver.marks(|topology, set| {
            topology.uses_one_of(set, interfaces) && may_shrink(topology, set, interfaces)
        });
        let seen = self.resyncs.seen();
        let unseen = |route: &KernelRoute| !seen.has(route) && marks.has(route.set);
        let found = !marks.is_empty()
            && self.ribs_of(&[Family::V6]).into_iter().any(|rib| {
                let only = |entry: &EntryState| entry.route().is_some_and(|route| unseen(&route));
                let rib = self.ribs.get(usize::from(rib));
                rib.is_some_and(|rib| {
                    rib.next(0, only).is_some() || rib.many().flatten().any(unseen)
                })
            });
        if found {
            self.uncertain();
        }
        found
    }
}

/// Whether a route of the set stays, with fewer next hops, where those through `interfaces` go:
/// IPv4 removes such a route as a whole (`fib_sync_down_dev`).
fn may_shrink(topology: &Topology, set: &NextHopSet, interfaces: &BTreeSet<u32>) -> bool {
    ecmp::is_v6_multipath(set) && topology.uses(set, |used| !interfaces.contains(&used))
}
