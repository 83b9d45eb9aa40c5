//! Views of the table.

use std::collections::{BTreeMap, HashMap};

use crate::route::{Family, NextHop, NextHopSet, PathSet, Prefix, RouteKey};

use crate::table::Table;
use crate::table::query::filter::RouteFilter;
use crate::table::query::route_state::RouteState;
use crate::table::resolve::fallback::Substitute;
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::store::entry::{KernelRoute, Slot, flag};
use crate::table::store::ids::{Handle, PathSetId};

/// The position of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    rib: u16,
    slot: u32,
}

impl Cursor {
    /// The cursor as a number, for callers that store it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        (self.rib as u64) << 32 | self.slot as u64
    }

    /// The cursor from the number that [`Self::to_bits`] returned.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            rib: (bits >> 32) as u16,
            slot: bits as u32,
        }
    }
}

/// Entries that one call examines: the table is locked for that long.
pub(super) const MAX_SLOTS: u32 = 65_536;

/// Where the routes for some sources only are listed, in place of a mirrored table's number.
const SOURCE_ROUTES: u16 = u16::MAX;

/// A kernel route and its state in VPP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteView {
    /// Kernel table.
    pub table: u32,
    /// Destination.
    pub prefix: Prefix,
    /// Type of service.
    pub tos: u8,
    /// Metric.
    pub metric: u32,
    /// The protocol that installed it (`rtm_protocol`).
    pub protocol: u8,
    /// Its source: the name of the scope's [`RouteSource`](super::RouteSource), or `injected` for a
    /// route from [`Table::inject`].
    pub source: &'static str,
    /// What it does with packets.
    pub set: NextHopSet,
    /// Its next hops, those of a next-hop object included; none while that is not known.
    pub next_hops: Vec<NextHop>,
    /// Its state in VPP.
    pub state: RouteState,
    /// The substitute, if the route is held and has one.
    pub substitute: Option<Substitute>,
    /// The paths installed for the prefix.
    pub installed: Option<PathSet>,
}

impl Table {
    /// The paths that VPP would have for a route with these next hops now, whether or not the table
    /// has such a route.
    ///
    /// # Errors
    /// [`HoldReason`] if it could have none.
    pub fn paths_for(&self, set: &NextHopSet) -> Result<PathSet, HoldReason> {
        let resolved = self.resolver.topology.resolve(set);
        match (resolved.paths, resolved.held) {
            (Some(paths), None) => Ok(paths),
            (_, held) => Err(held.unwrap_or(HoldReason::NoUsableNextHop)),
        }
    }

    /// Like [`Self::paths_for`], with the substitute for a held route.
    ///
    /// # Errors
    /// [`HoldReason`] if there is no substitute.
    pub fn paths_given_for(&self, set: &NextHopSet) -> Result<PathSet, HoldReason> {
        let given = self.resolver.topology.resolve_or_substitute(set).paths;
        given.map_or_else(|| self.paths_for(set), Ok)
    }

    /// The installed paths for a prefix in a kernel table, and whether they are the desired ones.
    #[must_use]
    pub fn installed(&self, table: u32, prefix: &Prefix) -> (Option<&PathSet>, bool) {
        let place = || {
            let rib = self.rib_index(prefix.family(), table)?;
            let slot = self.ribs.get(usize::from(rib))?.find(prefix)?;
            let handle = Handle { rib, slot };
            Some((handle, self.rib(handle)?.body(slot)?))
        };
        place().map_or((None, true), |(handle, body)| {
            let settled = self.desired(handle, body) == body.installed;
            (self.paths(body.installed), settled)
        })
    }

    /// Whether routes of a protocol are mirrored.
    #[must_use]
    pub fn mirrors(&self, protocol: u8) -> bool {
        self.scope.mirrors(protocol)
    }

    /// The VPP table of a kernel table; none if that is not mirrored.
    #[must_use]
    pub fn vpp_table_of(&self, table: u32, family: Family) -> Option<u32> {
        let rib = self.rib_index(family, table)?;
        Some(self.ribs.get(usize::from(rib))?.vpp_table)
    }

    /// Kernel table and prefix of about `count` installed prefixes, spread over all of them; `turn`
    /// selects which.
    #[must_use]
    pub fn sample_installed(&self, count: usize, turn: usize) -> Vec<(u32, Prefix)> {
        let installed = |handle: &Handle| {
            let body = self.rib(*handle).and_then(|rib| rib.body(handle.slot));
            body.is_some_and(|body| !body.installed.is_none())
        };
        let total = self.slots().filter(installed).count();
        let step = total.div_ceil(count.max(1)).max(1);
        let of = |handle: Handle| {
            let rib = self.rib(handle)?;
            Some((rib.kernel_table, rib.prefix(handle.slot)?))
        };
        let chosen = self
            .slots()
            .filter(installed)
            .skip(turn % step)
            .step_by(step);
        chosen.filter_map(of).take(count).collect()
    }

    /// Kernel routes from `cursor`: about `limit` of them (the routes of one prefix stay together),
    /// and the next cursor, none at the end.
    #[must_use]
    pub fn routes(&self, cursor: Cursor, limit: usize) -> (Vec<RouteView>, Option<Cursor>) {
        self.listing(cursor, limit, u32::MAX, &RouteFilter::default())
    }

    /// Like [`Self::routes`], for routes that `filter` accepts: perhaps fewer than `limit`, or
    /// none, although there are more.
    #[must_use]
    pub fn routes_where(
        &self,
        cursor: Cursor,
        limit: usize,
        filter: &RouteFilter,
    ) -> (Vec<RouteView>, Option<Cursor>) {
        self.listing(cursor, limit, MAX_SLOTS, filter)
    }

    fn listing(
        &self,
        cursor: Cursor,
        limit: usize,
        slots: u32,
        filter: &RouteFilter,
    ) -> (Vec<RouteView>, Option<Cursor>) {
        let mut views = Vec::new();
        if cursor.rib == SOURCE_ROUTES {
            let rest = self.views_from_sources(cursor.slot, limit, filter, &mut views);
            return (
                views,
                rest.map(|slot| Cursor {
                    rib: SOURCE_ROUTES,
                    slot,
                }),
            );
        }
        let rest = self.walk_slots(cursor, slots, |handle| {
            let room = views.len() < limit;
            if room {
                self.views(handle, filter, &mut views);
            }
            room
        });
        let behind = Cursor {
            rib: SOURCE_ROUTES,
            slot: 0,
        };
        let more = self.routes_from_sources().next().is_some();
        (views, rest.or(more.then_some(behind)))
    }

    /// Calls `with` for each slot from `cursor` on until it says no, for `slots` at most; where to
    /// go on, none at the end.
    pub(super) fn walk_slots(
        &self,
        cursor: Cursor,
        slots: u32,
        mut with: impl FnMut(Handle) -> bool,
    ) -> Option<Cursor> {
        let Cursor {
            rib: mut index,
            mut slot,
        } = cursor;
        let mut left = slots;
        while let Some(rib) = self.ribs.get(usize::from(index)) {
            while slot < rib.slots() {
                if left == 0 || !with(Handle { rib: index, slot }) {
                    return Some(Cursor { rib: index, slot });
                }
                slot += 1;
                left -= 1;
            }
            (index, slot) = (index.saturating_add(1), 0);
        }
        None
    }

    /// The kernel routes of one prefix in one kernel table.
    #[must_use]
    pub fn routes_of(&self, table: u32, prefix: &Prefix) -> Vec<RouteView> {
        let mut views = Vec::new();
        if let Some(rib) = self.rib_index(prefix.family(), table) {
            let slot = self.ribs.get(usize::from(rib)).and_then(|r| r.find(prefix));
            if let Some(slot) = slot {
                self.views(Handle { rib, slot }, &RouteFilter::default(), &mut views);
            }
        }
        views
    }

    /// Routes of mirrored protocols that VPP cannot have, by reason ([`HoldReason::name`]): the
    /// best of their prefix, those with a TOS or for some sources only, and those by label.
    #[must_use]
    pub fn held_routes(&self) -> BTreeMap<&'static str, usize> {
        let mut reasons = BTreeMap::new();
        if self.with_tos > 0 {
            reasons.insert(HoldReason::TypeOfService(0).name(), self.with_tos);
        }
        for (place, _) in self.routes_from_sources() {
            let name = HoldReason::SourceSpecific(place.2).name();
            *reasons.entry(name).or_default() += 1;
        }
        let labels = self.mirrored_labels();
        if labels > 0 {
            reasons.insert(HoldReason::MplsRoute.name(), labels);
        }
        if self.quarantine.is_empty() {
            for (set, count) in self.resolver.held() {
                let reason = self.resolver.resolution(set).held;
                let name = reason.unwrap_or(HoldReason::OverLimit).name();
                *reasons.entry(name).or_default() += count;
            }
        } else {
            // Quarantine holds by prefix, not by set.
            for handle in self.slots() {
                let body = self.rib(handle).and_then(|rib| rib.body(handle.slot));
                let wanted = body.and_then(|body| self.target(handle, body));
                if let Some(held) = wanted.and_then(|wanted| wanted.held) {
                    *reasons.entry(held.name()).or_default() += 1;
                }
            }
        }
        reasons
    }

    /// Routes held because their interface has no counterpart in VPP, by the interface's name, or
    /// its index if the kernel shows none.
    #[must_use]
    pub fn held_interfaces(&self) -> HashMap<String, usize> {
        let mut by_index = BTreeMap::<u32, usize>::new();
        for (set, count) in self.resolver.held() {
            if let Some(HoldReason::NoInterface(index)) = self.resolver.resolution(set).held {
                *by_index.entry(index).or_default() += count;
            }
        }
        let names: HashMap<u32, &str> = self.links().map(|(i, l)| (i, l.name.as_str())).collect();
        let name = |index: u32| match names.get(&index) {
            Some(name) => (*name).to_owned(),
            None => format!("interface {index}"),
        };
        by_index.into_iter().map(|(i, n)| (name(i), n)).collect()
    }

    pub(super) fn views(&self, handle: Handle, filter: &RouteFilter, views: &mut Vec<RouteView>) {
        let Some(rib) = self.rib(handle) else { return };
        self.each_taken(handle, filter, |prefix, body, route, state| {
            let Some(set) = self.resolver.sets.get(route.set.0) else {
                return;
            };
            views.push(RouteView {
                substitute: self.substitute(handle, body, state),
                installed: self.paths(body.installed).cloned(),
                ..self.view_of(rib.kernel_table, prefix, route, set, state)
            });
        });
    }

    /// The view of a route of which VPP has nothing.
    pub(super) fn view_of(
        &self,
        table: u32,
        prefix: Prefix,
        route: &KernelRoute,
        set: &NextHopSet,
        state: RouteState,
    ) -> RouteView {
        let (tos, metric) = (route.tos, route.metric);
        let key = RouteKey {
            table,
            prefix,
            tos,
            metric,
        };
        RouteView {
            table,
            prefix,
            tos,
            metric,
            protocol: route.protocol,
            source: self.source_of(key, route.protocol),
            set: set.clone(),
            next_hops: self.next_hops_of(&set.next_hops),
            state,
            substitute: None,
            installed: None,
        }
    }

    /// Calls `with` for each route of a place that `filter` takes.
    pub(super) fn each_taken(
        &self,
        handle: Handle,
        filter: &RouteFilter,
        mut with: impl FnMut(Prefix, &Slot, &KernelRoute, RouteState),
    ) {
        let Some(rib) = self.rib(handle) else { return };
        let (Some(body), Some(prefix)) = (rib.body(handle.slot), rib.prefix(handle.slot)) else {
            return;
        };
        if !filter.contains(&prefix) {
            return;
        }
        for route in rib.routes(handle.slot) {
            let state = self.state(handle, body, &route);
            if filter.takes(state) && self.leads(filter, route.set) {
                with(prefix, body, &route, state);
            }
        }
    }

    fn substitute(&self, handle: Handle, body: &Slot, state: RouteState) -> Option<Substitute> {
        let held = matches!(state, RouteState::Held(held) if !matches!(held, HoldReason::TypeOfService(_)));
        let desired = held.then(|| self.desired(handle, body))?;
        self.substitute_of(desired)
    }

    pub(in crate::table) fn state(
        &self,
        handle: Handle,
        body: &Slot,
        route: &KernelRoute,
    ) -> RouteState {
        if !self.scope.mirrors(route.protocol) {
            return RouteState::Foreign;
        }
        if route.tos != 0 {
            return RouteState::Held(HoldReason::TypeOfService(route.tos));
        }
        if body.route() != Some(*route) {
            return RouteState::NotBest;
        }
        let refusal = self
            .refusals
            .get(&handle)
            .filter(|_| body.has(flag::REJECTED));
        match (self.target(handle, body), refusal) {
            (_, Some(refusal)) => RouteState::Rejected(refusal.retval),
            (Some(wanted), None) => match wanted.held {
                Some(held) => RouteState::Held(held),
                None if wanted.paths == body.installed => RouteState::Installed,
                None => RouteState::Queued,
            },
            (None, None) => RouteState::Queued,
        }
    }

    /// A dirty prefix: its kernel table, the prefix, the installed and the desired paths.
    #[must_use]
    pub fn difference(
        &self,
        handle: Handle,
    ) -> Option<(u32, Prefix, Option<&PathSet>, Option<&PathSet>)> {
        let rib = self.rib(handle)?;
        let body = rib.body(handle.slot)?;
        let paths = |id: PathSetId| self.paths(id);
        let desired = self.desired(handle, body);
        Some((
            rib.kernel_table,
            rib.prefix(handle.slot)?,
            paths(body.installed),
            paths(desired),
        ))
    }
}
