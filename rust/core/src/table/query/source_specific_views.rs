//! Listings of source-specific routes, which are in no mirrored table.

use crate::route::{Family, Prefix};

use crate::table::Table;
use crate::table::kernel::source_specific_routes::SourceSpecificKey;
use crate::table::query::filter::RouteFilter;
use crate::table::query::route_state::RouteState;
use crate::table::query::view::RouteView;
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::store::entry::KernelRoute;

impl Table {
    /// Those that `filter` accepts.
    pub(super) fn accepted_source_specific(
        &self,
        filter: &RouteFilter,
    ) -> impl Iterator<Item = (&SourceSpecificKey, &KernelRoute)> {
        self.source_specific_routes()
            .filter(|((_, prefix, source), route)| {
                filter.accepts(state(*source))
                    && filter.contains(prefix)
                    && self.leads(filter, route.set)
            })
    }

    /// Adds the views of `limit` of them from the one with this number on; where to go on, none at
    /// the end.
    pub(super) fn source_specific_views(
        &self,
        start: u32,
        limit: usize,
        filter: &RouteFilter,
        views: &mut Vec<RouteView>,
    ) -> Option<u32> {
        let mut rest = self.accepted_source_specific(filter).skip(start as usize);
        for (route_key, route) in rest.by_ref().take(limit.max(1)) {
            views.extend(self.source_specific_view(route_key, route));
        }
        let end = u32::try_from(limit.max(1)).unwrap_or(u32::MAX);
        rest.next().map(|_| start.saturating_add(end))
    }

    /// Adds the views of those of one destination.
    pub(super) fn source_specific_views_of(
        &self,
        (family, table): (Family, u32),
        prefix: Prefix,
        filter: &RouteFilter,
        views: &mut Vec<RouteView>,
    ) {
        let wanted = |route_key: &SourceSpecificKey| (route_key.0, route_key.1) == (table, prefix);
        if family == Family::V6 {
            let accepted = self.accepted_source_specific(filter);
            let accepted = accepted.filter(|(route_key, _)| wanted(route_key));
            views.extend(
                accepted
                    .filter_map(|(route_key, route)| self.source_specific_view(route_key, route)),
            );
        }
    }

    fn source_specific_view(
        &self,
        (table, prefix, source): &SourceSpecificKey,
        route: &KernelRoute,
    ) -> Option<RouteView> {
        let set = self.resolver.sets.get(route.set.0)?;
        Some(self.view_of(*table, *prefix, route, set, state(*source)))
    }
}

/// The state of a route for packets from `source`.
pub(super) const fn state(source: Prefix) -> RouteState {
    RouteState::Held(HoldReason::SourceSpecific(source))
}
