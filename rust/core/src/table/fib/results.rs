//! VPP's results, for the peer that announced the routes.

use crate::route::{Route, RouteKey};

use crate::table::Table;
use crate::table::fib::result_queue::ResultQueue;
use crate::table::query::route_state::RouteState;
use crate::table::store::entry::flag;
use crate::table::store::ids::Handle;

/// Entries examined per requested result, at most: the table is locked for that long.
const SLOTS_PER_RESULT: usize = 4;

/// Whether VPP has a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteResult {
    /// The route, as it was announced.
    pub route: Route,
    /// Whether VPP has it; false if VPP has refused it, or lost it.
    pub installed: bool,
}

impl Table {
    /// Starts to queue results; those queued for an earlier peer are dropped.
    pub fn begin_results(&mut self) {
        self.results = Some(ResultQueue::default());
    }

    /// Stops queueing results.
    pub fn end_results(&mut self) {
        self.results = None;
    }

    /// Entries with a queued result.
    #[must_use]
    pub fn results_queued(&self) -> usize {
        let results = self.results.as_ref();
        results.map_or(0, ResultQueue::len)
    }

    /// Takes about `limit` results, perhaps fewer although more are queued.
    pub fn take_results(&mut self, limit: usize) -> Vec<RouteResult> {
        let mut taken = Vec::new();
        for _ in 0..limit.saturating_mul(SLOTS_PER_RESULT) {
            if taken.len() >= limit {
                break;
            }
            let Some(handle) = self.results.as_mut().and_then(ResultQueue::pop) else {
                break;
            };
            taken.extend(self.result_of(handle));
        }
        taken
    }

    /// None if VPP has not answered yet, or the route no longer exists.
    fn result_of(&self, handle: Handle) -> Option<RouteResult> {
        let rib = self.rib(handle)?;
        let entry = rib.entry(handle.slot)?;
        let route = entry.route()?;
        let key = RouteKey {
            table: rib.kernel_table,
            prefix: rib.prefix(handle.slot)?,
            tos: route.tos,
            metric: route.metric,
        };
        let installed = match self.state(handle, entry, &route) {
            RouteState::Installed => true,
            RouteState::Rejected(_) | RouteState::Held(_) => false,
            RouteState::Queued | RouteState::NotBest | RouteState::Foreign => return None,
        };
        if self.injected.contains(&(key, route.protocol)) {
            return None;
        }
        let set = self.resolver.sets.get(route.set.0)?.clone();
        let route = Route {
            key,
            protocol: route.protocol,
            set,
        };
        Some(RouteResult { route, installed })
    }

    /// Queues the result for a prefix.
    pub(in crate::table) fn queue_result(&mut self, handle: Handle) {
        if let Some(results) = &mut self.results {
            results.push(handle);
        }
    }

    /// Queues the result for a route that was just announced if it needs no request: VPP has its
    /// paths already, or has refused them. A held route has not been refused yet.
    pub(in crate::table) fn queue_known_result(&mut self, key: &RouteKey) {
        if self.results.is_none() {
            return;
        }
        let Some(handle) = self.handle_of(key) else {
            return;
        };
        let entry = self.entry(handle);
        let known = entry.is_some_and(|entry| {
            let has = !entry.installed.is_none() && self.desired(handle, entry) == entry.installed;
            has || entry.has(flag::REJECTED)
        });
        if known {
            self.queue_result(handle);
        }
    }
}
