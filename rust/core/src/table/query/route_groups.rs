//! Routes counted by what they have in common.

use std::collections::HashMap;

use crate::route::{NextHop, RouteType};

use crate::table::Table;
use crate::table::query::filter::RouteFilter;
use crate::table::query::listing::{Cursor, MAX_SLOTS};
use crate::table::query::source_specific_views::state;
use crate::table::store::ids::{Handle, SetId};

/// Routes that have all of this in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteGroup {
    /// Their state ([`RouteState::name`](crate::table::RouteState::name)).
    pub state: &'static str,
    /// Who installed them (`rtm_protocol`).
    pub protocol: u8,
    /// What they do with packets.
    pub route_type: RouteType,
    /// Their next hops, those of a next-hop object included.
    pub next_hops: Vec<NextHop>,
    /// How many they are.
    pub count: usize,
}

impl Table {
    /// Counts the routes that `filter` accepts from `cursor` on; and where to go on, none at the end.
    #[must_use]
    pub fn group_routes(
        &self,
        cursor: Cursor,
        filter: &RouteFilter,
    ) -> (Vec<RouteGroup>, Option<Cursor>) {
        let mut counts = HashMap::<_, usize>::new();
        let rest = self.walk_slots(cursor, MAX_SLOTS, |handle: Handle| {
            self.each_accepted(handle, filter, |_, _, route, state| {
                let group = (state.name(), route.protocol, route.set);
                *counts.entry(group).or_default() += 1;
            });
            true
        });
        if rest.is_none() {
            for (key, route) in self.accepted_source_specific(filter) {
                let group = (state(key.2).name(), route.protocol, route.set);
                *counts.entry(group).or_default() += 1;
            }
        }
        let group = |((state, protocol, set), count)| {
            let SetId(id) = set;
            let set = self.resolver.sets.get(id)?;
            Some(RouteGroup {
                state,
                protocol,
                route_type: set.route_type,
                next_hops: self.next_hops_of(&set.next_hops),
                count,
            })
        };
        (counts.into_iter().filter_map(group).collect(), rest)
    }

    /// Adds to `counts`, by the number of their set of next hops ([`SetView::id`](crate::table::SetView::id)),
    /// the routes that `filter` accepts from `cursor` on; where to go on, none at the end.
    #[must_use]
    pub fn count_by_set(
        &self,
        cursor: Cursor,
        filter: &RouteFilter,
        counts: &mut Vec<u32>,
    ) -> Option<Cursor> {
        let rest = self.walk_slots(cursor, MAX_SLOTS, |handle: Handle| {
            self.each_accepted(handle, filter, |_, _, route, _| count(counts, route.set));
            true
        });
        if rest.is_none() {
            let accepted = self.accepted_source_specific(filter);
            accepted.for_each(|(_, route)| count(counts, route.set));
        }
        rest
    }
}

fn count(counts: &mut Vec<u32>, set: SetId) {
    let id = set.0 as usize;
    if counts.len() <= id {
        counts.resize(id + 1, 0);
    }
    if let Some(count) = counts.get_mut(id) {
        *count += 1;
    }
}
