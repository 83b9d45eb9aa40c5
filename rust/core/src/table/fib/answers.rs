//! VPP's answers, for the peer that announced the routes.

use crate::route::{Route, RouteKey};

use crate::table::Table;
use crate::table::fib::answer_queue::AnswerQueue;
use crate::table::query::route_state::RouteState;
use crate::table::store::entry::flag;
use crate::table::store::ids::Handle;

/// Entries examined per requested answer, at most: the table is locked for that long.
const SLOTS_PER_ANSWER: usize = 4;

/// Whether VPP has a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The route, as it was announced.
    pub route: Route,
    /// Whether VPP has it; false if VPP has refused it, or lost it.
    pub installed: bool,
}

impl Table {
    /// Starts to queue answers; those queued for an earlier peer are dropped.
    pub fn begin_answers(&mut self) {
        self.answers = Some(AnswerQueue::default());
    }

    /// Stops queueing answers.
    pub fn end_answers(&mut self) {
        self.answers = None;
    }

    /// Entries with a queued answer.
    #[must_use]
    pub fn answers_queued(&self) -> usize {
        let answers = self.answers.as_ref();
        answers.map_or(0, AnswerQueue::len)
    }

    /// Takes about `limit` answers, perhaps fewer although more are queued.
    pub fn take_answers(&mut self, limit: usize) -> Vec<Answer> {
        let mut taken = Vec::new();
        for _ in 0..limit.saturating_mul(SLOTS_PER_ANSWER) {
            if taken.len() >= limit {
                break;
            }
            let Some(handle) = self.answers.as_mut().and_then(AnswerQueue::pop) else {
                break;
            };
            taken.extend(self.answer_of(handle));
        }
        taken
    }

    /// None if VPP has not answered yet, or the route no longer exists.
    fn answer_of(&self, handle: Handle) -> Option<Answer> {
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
        Some(Answer { route, installed })
    }

    /// Queues the outcome for a prefix.
    pub(in crate::table) fn answer(&mut self, handle: Handle) {
        if let Some(answers) = &mut self.answers {
            answers.push(handle);
        }
    }

    /// Queues the outcome of a route that was just announced if it needs no request: VPP has its
    /// paths already, or has refused them. A held route has not been refused yet.
    pub(in crate::table) fn answer_if_settled(&mut self, key: &RouteKey) {
        if self.answers.is_none() {
            return;
        }
        let Some(handle) = self.handle_of(key) else {
            return;
        };
        let entry = self.rib(handle).and_then(|rib| rib.entry(handle.slot));
        let settled = entry.is_some_and(|entry| {
            let has = !entry.installed.is_none() && self.desired(handle, entry) == entry.installed;
            has || entry.has(flag::REJECTED)
        });
        if settled {
            self.answer(handle);
        }
    }
}
