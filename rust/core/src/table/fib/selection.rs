//! Selects a prefix's forwarding route and desired paths, and marks the prefix dirty if they differ
//! from the installed ones.

use crate::route::{Family, RouterPreference};

use crate::table::Table;
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::resolve::resolver::Resolution;
use crate::table::resolve::substitutes::SUBSTITUTED;
use crate::table::store::entry::{EntryState, KernelRoute, Routes, flag};
use crate::table::store::ids::{Handle, PathSetId};

impl Table {
    /// The route by which the kernel forwards ordinary packets (TOS 0): the one that
    /// [`Self::preferred`] returns among those of the lowest metric; if none of these is usable,
    /// among all others, whatever their metric (`find_rr_leaf`).
    pub(in crate::table) fn best(&self, routes: &Routes) -> Option<KernelRoute> {
        let counts = |route: &&KernelRoute| route.tos == 0 && self.scope.counts_in(route.protocol);
        let counted = routes.iter().filter(counts);
        let metric = counted.clone().next()?.metric;
        let mut alive = counted.filter(|route| !route.expired);
        let usable = alive
            .clone()
            .filter(|route| self.resolver.usable(route.set));
        let of_first_metric = usable.clone().filter(|route| route.metric == metric);
        self.preferred(of_first_metric)
            .or_else(|| self.preferred(usable))
            .or_else(|| alive.next())
            .copied()
    }

    /// The first usable route of the highest preference (`rt6_score_route`), which IPv4 routes do
    /// not have; an IPv6 route by a blackhole object ends the search (`__find_rr_leaf`).
    fn preferred<'a>(
        &self,
        routes: impl Iterator<Item = &'a KernelRoute>,
    ) -> Option<&'a KernelRoute> {
        let mut best: Option<(&KernelRoute, RouterPreference)> = None;
        for route in routes {
            let Some(set) = self.resolver.sets.get(route.set.0) else {
                continue;
            };
            if self.resolver.topology.is_v6_blackhole_object(set) {
                return Some(route);
            }
            if best.is_none_or(|(_, preference)| set.preference > preference) {
                best = Some((route, set.preference));
            }
        }
        best.map(|(route, _)| route)
    }

    /// The desired paths: none if the best route is foreign; a hold reason if the route is ours and
    /// VPP cannot have it, or the prefix limit is reached.
    pub(in crate::table) fn target(
        &self,
        handle: Handle,
        entry: &EntryState,
    ) -> Option<Resolution> {
        let resolved = self.resolved(handle, entry)?;
        Some(match resolved.held {
            _ if self.admitted(entry) => resolved,
            reason => Resolution::held(reason.unwrap_or(HoldReason::OverLimit)),
        })
    }

    /// What VPP could have, regardless of the limit.
    #[inline]
    pub(in crate::table) fn resolved(
        &self,
        handle: Handle,
        entry: &EntryState,
    ) -> Option<Resolution> {
        let route = entry
            .route()
            .filter(|route| self.scope.mirrors(route.protocol))?;
        let resolution = self.resolver.resolution(route.set);
        if self.quarantine.is_empty() {
            return Some(resolution);
        }
        let allowed = self.unless_quarantined(handle, resolution.paths);
        Some(allowed.map_or_else(Resolution::held, |_| resolution))
    }

    /// Whether VPP may have a resolvable prefix: those already admitted stay.
    fn may_admit(&self, entry: &EntryState) -> bool {
        entry.has(flag::DESIRED | flag::UNCONFIRMED) || self.has_room()
    }

    /// Whether a resolvable prefix is admitted.
    #[inline]
    fn admitted(&self, entry: &EntryState) -> bool {
        self.scope.most().is_none() || entry.has(flag::DESIRED)
    }

    #[inline]
    pub(in crate::table) fn desired(&self, handle: Handle, entry: &EntryState) -> PathSetId {
        paths(entry, self.resolved(handle, entry), self.admitted(entry))
    }

    /// Stores a prefix's new routes.
    pub(in crate::table) fn store_routes(&mut self, handle: Handle, routes: Routes) {
        self.put_routes(handle, routes);
        self.refresh(handle);
    }

    /// Stores routes without any change that matters to VPP.
    pub(in crate::table) fn put_routes(&mut self, handle: Handle, routes: Routes) {
        let best = self.best(&routes);
        let Some(rib) = self.rib(handle) else { return };
        let Some(entry) = rib.entry(handle.slot).copied() else {
            return;
        };
        // Nearly every prefix has one route, and none of these counters applies to it.
        let plain = |route: &KernelRoute| route.tos == 0 && self.scope.mirrors(route.protocol);
        let was_plain =
            !entry.has(flag::OVERFLOW) && entry.route().is_none_or(|route| plain(&route));
        if !was_plain || !routes.iter().all(plain) {
            self.count_others(handle, &routes);
        }
        if let Some(best) = best.filter(|best| entry.has(flag::HELD) && best.set != entry.set) {
            self.resolver.count_held(entry.set, false);
            self.resolver.count_held(best.set, true);
        }
        if let Some(rib) = self.rib_mut(handle) {
            rib.set_routes(handle.slot, routes, best);
        }
    }

    /// Updates the counts of routes with a TOS and of foreign routes.
    #[cold]
    fn count_others(&mut self, handle: Handle, routes: &Routes) {
        let Some(rib) = self.rib(handle) else { return };
        let before = rib.routes(handle.slot);
        let (had, have) = (self.with_tos(&before), self.with_tos(routes));
        self.with_tos = (self.with_tos + have).saturating_sub(had);
        self.count_foreign(&before, routes);
    }

    /// Routes of mirrored protocols with a TOS, which VPP cannot have.
    fn with_tos(&self, routes: &Routes) -> usize {
        let with_tos = |route: &&KernelRoute| route.tos != 0 && self.scope.mirrors(route.protocol);
        routes.iter().filter(with_tos).count()
    }

    /// Updates the counts and the dirty queue after any change to a prefix.
    pub(in crate::table) fn refresh(&mut self, handle: Handle) {
        let Some(rib) = self.rib(handle) else { return };
        let family = rib.family();
        let Some(entry) = rib.entry(handle.slot).copied() else {
            return;
        };
        let resolved = self.resolved(handle, &entry);
        let can = resolved.is_some_and(|resolved| !resolved.paths.is_none());
        let desired = can && self.may_admit(&entry);
        self.wait_for_room(handle, can && !desired);
        let dirty = paths(&entry, resolved, desired) != entry.installed && !entry.has(flag::TAKEN);
        let flags = entry.flags & !COMPUTED
            | flag::of(flag::DESIRED, desired)
            | flag::of(
                flag::HELD,
                resolved.is_some_and(|resolved| !desired || resolved.held.is_some()),
            )
            | flag::of(flag::UNCONFIRMED, entry.unconfirmed())
            | flag::of(flag::QUEUED, dirty);
        if flags != entry.flags {
            self.change_flags(handle, family, entry.flags, flags);
        }
        if is_idle(&EntryState { flags, ..entry }) {
            self.remove_if_idle(handle);
        }
        if self.over_limit() > 0 {
            self.admit();
        }
    }

    /// Updates the counts and the dirty queue for changed flags.
    fn change_flags(&mut self, handle: Handle, family: Family, old: u8, new: u8) {
        let counts = self.counts_mut(family);
        for (count, flag) in [
            (&mut counts.desired, flag::DESIRED),
            (&mut counts.held, flag::HELD),
            (&mut counts.rejected, flag::REJECTED),
            (&mut counts.unconfirmed, flag::UNCONFIRMED),
        ] {
            adjust(count, old & flag != 0, new & flag != 0);
        }
        let substituted = |flags| flags & SUBSTITUTED == SUBSTITUTED;
        adjust(&mut counts.substituted, substituted(old), substituted(new));
        if old & flag::REJECTED != 0 {
            self.refusals.remove(&handle);
        }
        if (old ^ new) & flag::HELD != 0 {
            let set = self.entry(handle);
            if let Some(set) = set.map(|entry| entry.set) {
                self.resolver.count_held(set, new & flag::HELD != 0);
            }
        }
        if new & !old & flag::QUEUED != 0 {
            self.dirty.push(handle);
        }
        if let Some(entry) = self.entry_mut(handle) {
            entry.flags = new;
        }
    }

    /// Removes a prefix that neither the kernel, VPP nor a queue refers to.
    pub(in crate::table) fn remove_if_idle(&mut self, handle: Handle) {
        let Some(rib) = self.rib_mut(handle) else {
            return;
        };
        if rib.entry(handle.slot).is_some_and(is_idle) {
            rib.remove(handle.slot);
        }
    }
}

/// Flags that [`Table::refresh`] computes.
const COMPUTED: u8 = flag::DESIRED | flag::HELD | flag::REJECTED | flag::UNCONFIRMED;

/// The desired paths, from the resolution and the prefix limit.
#[inline]
fn paths(entry: &EntryState, resolved: Option<Resolution>, admitted: bool) -> PathSetId {
    match resolved {
        _ if entry.unconfirmed() => entry.installed,
        Some(Resolution { paths, .. }) if admitted => paths,
        _ => PathSetId::NONE,
    }
}

fn is_idle(entry: &EntryState) -> bool {
    const BUSY: u8 = flag::ROUTE | flag::OVERFLOW | flag::QUEUED | flag::TAKEN | flag::REJECTED;
    !entry.has(BUSY) && entry.installed.is_none()
}

/// Adjusts a count for the change of one flag.
pub(in crate::table) fn adjust(count: &mut usize, was: bool, is: bool) {
    match (was, is) {
        (false, true) => *count = count.saturating_add(1),
        (true, false) => *count = count.saturating_sub(1),
        _ => {}
    }
}
