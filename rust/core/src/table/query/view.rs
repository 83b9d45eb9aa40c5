//! Views of routes, with their state in VPP.

use crate::route::{NextHop, NextHopSet, PathSet, Prefix, RouteKey};

use crate::table::Table;
use crate::table::query::filter::RouteFilter;
use crate::table::query::route_state::RouteState;
use crate::table::resolve::fallback::Substitute;
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::store::entry::{EntryState, KernelRoute, flag};
use crate::table::store::ids::Handle;

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
    /// Its source: the name of the scope's [`RouteSource`](crate::table::RouteSource), or `injected` for a
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

    pub(super) fn views(&self, handle: Handle, filter: &RouteFilter, views: &mut Vec<RouteView>) {
        let Some(rib) = self.rib(handle) else { return };
        self.each_accepted(handle, filter, |prefix, entry, route, state| {
            let Some(set) = self.resolver.sets.get(route.set.0) else {
                return;
            };
            views.push(RouteView {
                substitute: self.substitute(handle, entry, state),
                installed: self.paths(entry.installed).cloned(),
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

    /// Calls `with` for each route of the prefix that `filter` accepts.
    pub(super) fn each_accepted(
        &self,
        handle: Handle,
        filter: &RouteFilter,
        mut with: impl FnMut(Prefix, &EntryState, &KernelRoute, RouteState),
    ) {
        let Some(rib) = self.rib(handle) else { return };
        let (Some(entry), Some(prefix)) = (rib.entry(handle.slot), rib.prefix(handle.slot)) else {
            return;
        };
        if !filter.contains(&prefix) {
            return;
        }
        for route in rib.routes(handle.slot) {
            let state = self.state(handle, entry, &route);
            if filter.accepts(state) && self.leads(filter, route.set) {
                with(prefix, entry, &route, state);
            }
        }
    }

    fn substitute(
        &self,
        handle: Handle,
        entry: &EntryState,
        state: RouteState,
    ) -> Option<Substitute> {
        let held = matches!(state, RouteState::Held(held) if !matches!(held, HoldReason::TypeOfService(_)));
        let desired = held.then(|| self.desired(handle, entry))?;
        self.substitute_of(desired)
    }

    pub(in crate::table) fn state(
        &self,
        handle: Handle,
        entry: &EntryState,
        route: &KernelRoute,
    ) -> RouteState {
        if !self.scope.mirrors(route.protocol) {
            return RouteState::Foreign;
        }
        if route.tos != 0 {
            return RouteState::Held(HoldReason::TypeOfService(route.tos));
        }
        if entry.route() != Some(*route) {
            return RouteState::NotBest;
        }
        let refusal = self
            .refusals
            .get(&handle)
            .filter(|_| entry.has(flag::REJECTED));
        match (self.target(handle, entry), refusal) {
            (_, Some(retval)) => RouteState::Rejected(*retval),
            (Some(target), None) => match target.held {
                Some(held) => RouteState::Held(held),
                None if target.paths == entry.installed => RouteState::Installed,
                None => RouteState::Queued,
            },
            (None, None) => RouteState::Queued,
        }
    }
}
