//! Announcements.

use crate::route::{Family, NextHopSet, NextHopSource, Prefix, Route, RouteKey, SetBytes};

use crate::table::Table;
use crate::table::kernel::drift::Drift;
use crate::table::kernel::ecmp;
use crate::table::kernel::kernel_order::{self, Announced, InsertMode};
use crate::table::kernel::resync_state::Verify;
use crate::table::resolve::resolver::Resolver;
use crate::table::scope::Scope;
use crate::table::store::entry::{EntryState, KernelRoute, Routes, flag};
use crate::table::store::ids::{Handle, SetId};

/// What an announcement carries in addition to its next-hop set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The route's key.
    pub key: RouteKey,
    /// The protocol that installed it (`rtm_protocol`).
    pub protocol: u8,
    /// Whether its lifetime has expired and the kernel has stopped using it.
    pub expired: bool,
}

/// The route's relation to a prefix with at most one route.
enum OnlyRoute {
    /// It is the only one, and known.
    Known,
    /// There was none before.
    New,
}

impl Table {
    /// Adds a route. Routes of tables, families and prefixes out of scope are ignored.
    pub fn announce(&mut self, route: Route, insert_mode: InsertMode) -> Verify {
        let Route { key, protocol, set } = route;
        let Some(rib) = self.rib_in_scope(&key) else {
            return Verify::Nothing;
        };
        let set = self.resolver.acquire(in_order(set));
        let announcement = Announcement {
            key,
            protocol,
            expired: false,
        };
        self.announce_set(rib, announcement, set, insert_mode)
    }

    /// Adds a route whose next-hop set is found in the cache by its bytes, or else decoded by
    /// `read`; routes out of scope are ignored.
    ///
    /// # Errors
    /// What `read` returns: the route is then not added.
    pub fn announce_encoded<E>(
        &mut self,
        announcement: Announcement,
        bytes: Option<SetBytes<'_>>,
        read: impl FnOnce() -> Result<NextHopSet, E>,
        insert_mode: InsertMode,
    ) -> Result<Verify, E> {
        let Some(rib) = self.rib_in_scope(&announcement.key) else {
            return Ok(Verify::Nothing);
        };
        let known = bytes.and_then(|bytes| self.resolver.cached_set(bytes));
        let set = match known {
            Some(set) => set,
            None => {
                let set = self.resolver.acquire(in_order(read()?));
                if let Some(bytes) = bytes {
                    self.resolver.cache_set(bytes, set);
                }
                set
            }
        };
        Ok(self.announce_set(rib, announcement, set, insert_mode))
    }

    #[inline]
    fn rib_in_scope(&mut self, key: &RouteKey) -> Option<u16> {
        let Some(known) = self.rib_index(key.prefix.family(), key.table) else {
            return self.discover_for(key);
        };
        if !self.scope.prefixes.allow(&key.prefix) {
            self.denied += 1;
            return None;
        }
        Some(known)
    }

    #[cold]
    fn discover_for(&mut self, key: &RouteKey) -> Option<u16> {
        let allowed = self.scope.discovery.is_on() && self.scope.prefixes.allow(&key.prefix);
        allowed.then(|| self.discover(key.prefix.family(), key.table))?
    }

    /// Adds a route with a set to which the caller has taken a reference.
    fn announce_set(
        &mut self,
        rib: u16,
        announcement: Announcement,
        set: SetId,
        insert_mode: InsertMode,
    ) -> Verify {
        let Announcement {
            key,
            protocol,
            expired,
        } = announcement;
        self.apply_deferred_to(&key);
        // Each of the routes that IPv6 merged has its own lifetime; a message shows one of them,
        // and the merged route stays usable while any of them is.
        let merged = |set: SetId| self.resolver.sets.get(set.0).is_some_and(ecmp::several);
        let expired = expired && !merged(set);
        if !self.resync_takes(&key, protocol, set, insert_mode) {
            self.resolver.release(set);
            return Verify::Nothing;
        }
        let new = KernelRoute {
            metric: key.metric,
            set,
            tos: key.tos,
            protocol,
            generation: self.resyncs.generation(),
            expired,
        };
        let counts = new.tos == 0 && self.scope.counts_in(protocol);
        let entries = self.ribs.get_mut(usize::from(rib));
        let Some((slot, entry)) = entries.and_then(|rib| rib.get_or_insert(&key.prefix)) else {
            self.resolver.release(set);
            return Verify::Nothing;
        };
        let handle = Handle { rib, slot };
        match only_route(entry, &new, insert_mode).filter(|_| counts) {
            Some(OnlyRoute::Known) => {
                entry.generation = new.generation;
                self.resolver.release(set);
                Verify::Nothing
            }
            Some(OnlyRoute::New) => {
                let untouched = entry.is_untouched();
                entry.set_route(Some(new));
                // The result of `refresh`, without its cost.
                let desired = untouched
                    && is_desired(&self.scope, &self.resolver, &new)
                    && !self.quarantine.may_concern(&key.prefix);
                if desired {
                    entry.set_flag(flag::DESIRED | flag::QUEUED, true);
                }
                self.add_first(handle, (key, protocol), insert_mode, desired);
                Verify::Nothing
            }
            None => self.enter_and_verify(handle, key, new, insert_mode),
        }
    }

    fn add_first(
        &mut self,
        handle: Handle,
        (key, protocol): (RouteKey, u8),
        insert_mode: InsertMode,
        desired: bool,
    ) {
        if insert_mode.from_dump() && self.scope.mirrors(protocol) {
            self.drifted(key, true);
        }
        let counts = self.counts_mut(key.prefix.family());
        counts.kernel = counts.kernel.saturating_add(1);
        if desired {
            counts.desired = counts.desired.saturating_add(1);
            self.dirty.push(handle);
        } else {
            self.count_foreign_first(handle);
            self.refresh(handle);
        }
    }

    /// [`Self::enter`], which also may join a route that is outdated.
    fn enter_and_verify(
        &mut self,
        handle: Handle,
        key: RouteKey,
        new: KernelRoute,
        insert_mode: InsertMode,
    ) -> Verify {
        let verify = self.enter(handle, key, new, insert_mode);
        if !insert_mode.from_dump() && self.joins_outdated(handle, new.protocol) {
            return Verify::OfEverything;
        }
        verify
    }

    fn enter(
        &mut self,
        handle: Handle,
        key: RouteKey,
        new: KernelRoute,
        insert_mode: InsertMode,
    ) -> Verify {
        if insert_mode == InsertMode::Only {
            self.enter_only(handle, key, new);
            return Verify::Nothing;
        }
        let Some(rib) = self.rib(handle) else {
            return Verify::Nothing;
        };
        let family = rib.family();
        let mut routes = rib.routes(handle.slot);
        let new = self.as_shown(&routes, new, insert_mode);
        let sets = &self.resolver.sets;
        let announced = kernel_order::announce(&mut routes, new, insert_mode, family, sets);
        let same = matches!(announced, Announced::Known | Announced::Expiry);
        if insert_mode.from_dump() && !same {
            let alone = announced == Announced::Added(None) && !has_others(&routes, &new);
            if self.has_mirrored(&routes) {
                self.drifted(key, alone);
            }
            let placed = alone || matches!(announced, Announced::Changed(_));
            if !placed && insert_mode == InsertMode::PartialDump {
                self.uncertain();
            }
        }
        let verify = match announced {
            Announced::Added(Some(old)) if self.may_be_hidden(old, &new, insert_mode) => {
                Verify::OfEverything
            }
            _ => self.replaced(&routes, &new, insert_mode),
        };
        for unused in announced.unused(new.set) {
            self.resolver.release(unused);
        }
        let counts = self.counts_mut(family);
        match announced {
            Announced::Known => {
                self.put_routes(handle, routes);
                return verify;
            }
            Announced::ReplacedDuplicate(_) => counts.kernel = counts.kernel.saturating_sub(1),
            Announced::Added(None) => counts.kernel = counts.kernel.saturating_add(1),
            _ => {}
        }
        self.store_routes(handle, routes);
        verify
    }

    /// The new route as a dump would show it.
    fn as_shown(
        &mut self,
        routes: &Routes,
        new: KernelRoute,
        insert_mode: InsertMode,
    ) -> KernelRoute {
        let sets = &self.resolver.sets;
        let Some(preference) = kernel_order::preference_of_first(routes, new, insert_mode, sets)
        else {
            return new;
        };
        let Some(set) = sets.get(new.set.0).cloned() else {
            return new;
        };
        let set = self.resolver.acquire(NextHopSet { preference, ..set });
        self.resolver.release(new.set);
        KernelRoute { set, ..new }
    }

    /// Whether a replacement may be that of a route which the multipath route that it took the place
    /// of hid from dumps: the kernel replaces first what it cannot merge, as the new route.
    fn may_be_hidden(&self, old: SetId, new: &KernelRoute, insert_mode: InsertMode) -> bool {
        let is =
            |set: SetId, is: fn(&NextHopSet) -> bool| self.resolver.sets.get(set.0).is_some_and(is);
        insert_mode == InsertMode::Replace
            && is(old, ecmp::is_v6_multipath)
            && !is(new.set, ecmp::merges)
    }

    /// What a replacement among several routes with one key leaves uncertain.
    fn replaced(&self, routes: &Routes, new: &KernelRoute, insert_mode: InsertMode) -> Verify {
        match insert_mode {
            InsertMode::Replace if has_others(routes, new) => {}
            // A program that gives all its requests one number may have replaced the first route.
            InsertMode::ReplacedObject if has_others(routes, new) => return Verify::OfEverything,
            _ => return Verify::Nothing,
        }
        let may_be_advertised = |route: &KernelRoute| {
            let set = self.resolver.sets.get(route.set.0);
            set.is_some_and(|set| ecmp::may_be_advertised(route.protocol, set))
        };
        if routes.iter().any(may_be_advertised) {
            // The replaced route depends on whether that one still exists.
            return Verify::OfEverything;
        }
        Verify::IfInconsistent
    }

    /// Records a dumped route that was not known.
    fn drifted(&mut self, key: RouteKey, alone: bool) {
        let drift = if alone {
            Drift::Missing
        } else {
            Drift::Different
        };
        self.pending_drift.suspect(&key, drift);
    }

    /// The handle of the key's prefix, if it is known.
    pub(in crate::table) fn handle_of(&self, key: &RouteKey) -> Option<Handle> {
        self.handle_of_prefix(key.table, &key.prefix)
    }

    pub(in crate::table) fn handle_of_prefix(&self, table: u32, prefix: &Prefix) -> Option<Handle> {
        let rib = self.rib_index(prefix.family(), table)?;
        let slot = self.ribs.get(usize::from(rib))?.find(prefix)?;
        Some(Handle { rib, slot })
    }

    /// Whether the id refers to this set.
    pub(in crate::table) fn is_set(&self, id: SetId, set: &crate::route::NextHopSet) -> bool {
        self.resolver.sets.get(id.0) == Some(set)
    }
}

/// Whether VPP gets a prefix with this only route, regardless of other prefixes.
fn is_desired(scope: &Scope, resolver: &Resolver, route: &KernelRoute) -> bool {
    scope.most().is_none()
        && scope.mirrors(route.protocol)
        && resolver.resolution(route.set).held.is_none()
}

/// Nearly every prefix has one route: the outcome of [`Table::enter`] for it without a list. None
/// if there are others.
fn only_route(entry: &EntryState, new: &KernelRoute, insert_mode: InsertMode) -> Option<OnlyRoute> {
    if entry.has(flag::OVERFLOW) || new.expired {
        return None;
    }
    match entry.route() {
        None => Some(OnlyRoute::New),
        Some(known) => {
            let alike = insert_mode.from_dump() || insert_mode == InsertMode::Only;
            (alike && known.is(new)).then_some(OnlyRoute::Known)
        }
    }
}

/// The set with its next hops in canonical order: IPv6 announces a route that gained a next hop
/// beginning with the new one, and dumps it beginning with the first.
pub(super) fn in_order(mut set: NextHopSet) -> NextHopSet {
    if let (Family::V6, NextHopSource::Inline(hops)) = (set.family, &mut set.next_hops) {
        hops.sort_unstable();
    }
    set
}

/// Whether there are other routes with the key of `new`.
fn has_others(routes: &Routes, new: &KernelRoute) -> bool {
    let alike = |route: &&KernelRoute| route.metric == new.metric && route.tos == new.tos;
    routes.iter().filter(alike).count() > 1
}
