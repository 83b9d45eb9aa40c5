//! Links, next-hop objects and VPP's interfaces: their changes affect routes without a message for
//! each route.

use crate::route::{Family, NextHopSet, NextHopSource};

use crate::table::Table;
use crate::table::kernel::discovered::NO_VPP_TABLE;
use crate::table::kernel::dump_tracker::DumpTracker;
use crate::table::resolve::interfaces::{Interfaces, Link};
use crate::table::resolve::nexthops::NextHopObject;
use crate::table::resolve::topology::{LOOPBACK, Topology, forwards, is_at_loopback};
use crate::table::scope::RouteSource;

impl Table {
    /// Applies a link. Returns the number of routes removed with it: when a link goes down the
    /// kernel removes its routes without a message.
    pub fn link(&mut self, index: u32, link: Link) -> usize {
        DumpTracker::notified(&mut self.link_dump, index);
        self.enter_link(index, link)
    }

    fn enter_link(&mut self, index: u32, link: Link) -> usize {
        let new = link.clone();
        self.resolver.topology.had_vrfs |= link.vrf_table.is_some();
        let old = self.resolver.topology.links.insert(index, link);
        if old.as_ref() == Some(&new) {
            return 0;
        }
        let (up, carrier) = old.map_or((true, true), |old| (old.up, old.carrier));
        if up && !new.up {
            return self.link_down(index);
        }
        self.link_changed(index);
        if carrier && !new.carrier {
            return self.carrier_lost(index);
        }
        0
    }

    /// Removes the next-hop objects through a link that lost its carrier, and the routes by them: the
    /// kernel sends no messages for them (`nexthop_flush_dev`). Its other routes stay.
    fn carrier_lost(&mut self, index: u32) -> usize {
        if self.scope.source == RouteSource::Fpm {
            return 0;
        }
        self.remove_objects(&self.resolver.topology.objects.through(index))
    }

    /// Removes a link; returns the number of routes removed with it.
    pub fn remove_link(&mut self, index: u32) -> usize {
        DumpTracker::notified(&mut self.link_dump, index);
        match self.resolver.topology.links.get_mut(&index) {
            Some(link) => {
                link.up = false;
                let removed = self.link_down(index);
                self.resolver.topology.links.remove(&index);
                self.link_changed(index);
                removed
            }
            None => 0,
        }
    }

    /// Begins a dump of the links: notifications from here on are newer than the dump.
    pub fn begin_link_dump(&mut self) {
        self.link_dump = Some(DumpTracker::default());
    }

    /// Applies a link that the dump shows, like [`Self::link`].
    pub fn dumped_link(&mut self, index: u32, link: Link) -> usize {
        if DumpTracker::dumped(&mut self.link_dump, index) {
            self.enter_link(index, link)
        } else {
            0
        }
    }

    /// Ends the dump and removes the links that it did not show; returns their number.
    pub fn sweep_links(&mut self) -> usize {
        let Some(dump) = self.link_dump.take() else {
            return 0;
        };
        let known: Vec<u32> = self.links().map(|(index, _)| index).collect();
        let gone = known.into_iter().filter(|index| dump.is_stale(*index));
        gone.map(|index| self.remove_link(index)).count()
    }

    /// Ends a dump that is incomplete: what it did not show may be there.
    pub fn abandon_link_dump(&mut self) {
        self.link_dump = None;
    }

    /// The link with this index.
    #[must_use]
    pub fn link_of(&self, index: u32) -> Option<&Link> {
        self.resolver.topology.links.get(&index)
    }

    /// The links by index.
    pub fn links(&self) -> impl Iterator<Item = (u32, &Link)> {
        self.resolver
            .topology
            .links
            .iter()
            .map(|(index, link)| (*index, link))
    }

    /// Resolves the sets that lead into VRFs whose table is mirrored, or goes into another VPP table,
    /// from now on.
    pub(in crate::table) fn table_mirrored(
        &mut self,
        family: Family,
        kernel_table: u32,
        vpp_table: u32,
    ) {
        let topology = &mut self.resolver.topology;
        if vpp_table == NO_VPP_TABLE {
            topology.vpp_tables.remove(&(family, kernel_table));
        } else {
            topology
                .vpp_tables
                .insert((family, kernel_table), vpp_table);
        }
        let is_vrf =
            |(index, link): (u32, &Link)| (link.vrf_table == Some(kernel_table)).then_some(index);
        let vrfs: Vec<u32> = self.links().filter_map(is_vrf).collect();
        for index in vrfs {
            self.link_changed(index);
        }
    }

    /// Resolves the sets that use a link whose state or name changed.
    fn link_changed(&mut self, index: u32) {
        let through = self.resolver.by_interface(index);
        self.sets_changed(through);
        self.apply_unless_deferred();
    }

    /// Removes the routes and next-hop objects through a link that went down: the kernel sends no
    /// messages for them. zebra does for its own.
    fn link_down(&mut self, index: u32) -> usize {
        if self.scope.source == RouteSource::Fpm {
            self.link_changed(index);
            return 0;
        }
        let concerned = self.resolver.by_interface(index);
        let uses = |topology: &Topology, set: &NextHopSet| topology.uses_interface(set, index);
        let through = self.resolver.of(&concerned, uses);
        self.take_objects(&self.resolver.topology.objects.through(index));
        let mut gone = self.resolver.of(&through, goes_with_link);
        if self
            .link_of(index)
            .is_some_and(|link| link.name == LOOPBACK)
        {
            let all = self.resolver.all();
            gone.extend(self.resolver.of(&all, |_, set| is_at_loopback(set)));
        }
        self.sets_gone(gone);
        self.sets_changed(concerned);
        self.apply_unless_deferred()
    }

    /// Applies a next-hop object.
    pub fn next_hop(&mut self, id: u32, object: NextHopObject) {
        DumpTracker::notified(&mut self.next_hop_dump, id);
        self.enter_next_hop(id, object);
    }

    /// Stores a next-hop object that the dump shows.
    pub fn dumped_next_hop(&mut self, id: u32, object: NextHopObject) {
        if DumpTracker::dumped(&mut self.next_hop_dump, id) {
            self.enter_next_hop(id, object);
        }
    }

    fn enter_next_hop(&mut self, id: u32, object: NextHopObject) {
        if self.resolver.topology.objects.insert(id, object) {
            self.objects_changed([id]);
        }
    }

    /// The next-hop object with this id.
    #[must_use]
    pub fn next_hop_object(&self, id: u32) -> Option<&NextHopObject> {
        self.resolver.topology.objects.get(id)
    }

    /// The ids of all next-hop objects, including those that routes refer to but do not exist.
    #[must_use]
    pub fn next_hop_ids(&self) -> Vec<u32> {
        let mut ids: Vec<u32> = self.resolver.topology.objects.ids().collect();
        ids.extend(self.resolver.objects_used());
        ids
    }

    /// Whether the next-hop object with this id is a blackhole.
    #[must_use]
    pub fn is_blackhole(&self, id: u32) -> bool {
        self.resolver.topology.objects.get(id) == Some(&NextHopObject::Blackhole)
    }

    /// Removes a next-hop object; returns the number of routes removed with it: the kernel's only,
    /// since zebra withdraws its own.
    pub fn remove_next_hop(&mut self, id: u32) -> usize {
        self.remove_objects(&[id])
    }

    fn remove_objects(&mut self, ids: &[u32]) -> usize {
        let concerned = self.resolver.by_objects(ids.iter().copied());
        let gone = self.take_objects(ids);
        if self.scope.source == RouteSource::Kernel {
            let is_gone = |_: &Topology, set: &NextHopSet| {
                set.object().is_some_and(|used| gone.contains(&used))
            };
            let sets = self.resolver.of(&concerned, is_gone);
            self.sets_gone(sets);
        }
        self.sets_changed(concerned);
        self.apply_unless_deferred()
    }

    /// Removes objects, also from groups, and groups with their last member; returns the removed ids.
    /// A dump in progress may have been read before.
    fn take_objects(&mut self, ids: &[u32]) -> Vec<u32> {
        let objects = &mut self.resolver.topology.objects;
        let mut gone = Vec::new();
        for id in ids {
            for changed in objects.groups_of(*id).chain([*id]) {
                DumpTracker::notified(&mut self.next_hop_dump, changed);
            }
            gone.extend(objects.remove(*id));
        }
        gone
    }

    fn objects_changed(&mut self, objects: impl IntoIterator<Item = u32>) {
        let concerned = self.resolver.by_objects(objects);
        self.sets_changed(concerned);
        self.apply_unless_deferred();
    }

    /// Starts a dump of the next-hop objects.
    pub fn begin_next_hop_dump(&mut self) {
        self.next_hop_dump = Some(DumpTracker::default());
    }

    /// Removes the objects that the dump did not show. Their routes stay until the route dump that
    /// follows shows whether they still exist.
    pub fn sweep_next_hops(&mut self) -> usize {
        let Some(dump) = self.next_hop_dump.take() else {
            return 0;
        };
        let objects = &mut self.resolver.topology.objects;
        let gone = objects.sweep(|id| dump.is_stale(id));
        self.objects_changed(gone.iter().copied());
        gone.len()
    }

    /// VPP's interfaces, as last set.
    #[must_use]
    pub fn interfaces(&self) -> &Interfaces {
        &self.resolver.topology.interfaces
    }

    /// Sets VPP's interfaces; routes that become resolvable, or whose paths change, become dirty.
    pub fn set_interfaces(&mut self, interfaces: Interfaces) {
        if self.resolver.topology.interfaces == interfaces {
            return;
        }
        self.resolver.topology.interfaces = interfaces;
        let all = self.resolver.all();
        self.sets_changed(all);
        self.apply_unless_deferred();
    }
}

/// Whether the kernel removes routes of the set when their last link goes down: all except IPv6
/// multipath routes, whose dead next hops stay and revive (`fib6_ifdown`).
fn goes_with_link(topology: &Topology, set: &NextHopSet) -> bool {
    if !forwards(set) || topology.usable(set) {
        return false;
    }
    match (&set.next_hops, set.family) {
        (NextHopSource::Inline(hops), Family::V6) => hops.len() <= 1,
        _ => true,
    }
}
