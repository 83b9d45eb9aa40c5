//! Whether zebra is still sending what it had when the connection began.
//!
//! zebra does not mark that end (`fpm_rib_send` in its `dplane_fpm_nl.c`), so a silence stands for it.
//! In a large table something changes all the time, which must not count: only routes that the
//! connection has not shown before do.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bgpreflector_core::route::Prefix;
use bgpreflector_core::table::Table;

/// After so many quiet times, counted from its first route, a connection has shown its routes
/// although new ones keep coming.
const MAX_QUIET_TIMES: u32 = 60;

/// The routes that a connection has shown so far.
#[derive(Debug, Default)]
pub(super) struct InitialRoutes {
    first: Option<Instant>,
    last: Option<Instant>,
    /// When anything came last.
    last_rx: Option<Instant>,
    /// A route that was not shown before has come since the last [`Self::arrived`].
    has_new: bool,
    has_end_marker: bool,
    /// Shown, and not in the table: withdrawn, or out of scope. By kernel table and prefix.
    outside: HashSet<(u32, Prefix)>,
}

impl InitialRoutes {
    /// Notes a route that is about to be added to the table.
    pub(super) fn announced(&mut self, table: &Table, kernel_table: u32, prefix: Prefix) {
        let key = (kernel_table, prefix);
        self.has_new |= match table.was_shown(kernel_table, &prefix) {
            Some(shown) => !shown && !self.outside.contains(&key),
            None => self.outside.insert(key),
        };
    }

    /// Notes a withdrawal that is about to be applied to the table.
    pub(super) fn withdrawn(&mut self, table: &Table, kernel_table: u32, prefix: Prefix) {
        let shown = table.was_shown(kernel_table, &prefix) == Some(true);
        self.has_new |= self.outside.insert((kernel_table, prefix)) && !shown;
    }

    /// Notes an end marker (`NLMSG_DONE`).
    pub(super) fn end_marker(&mut self) {
        self.has_end_marker = true;
    }

    /// Notes when the messages since the last call came.
    pub(super) fn arrived(&mut self, now: Instant) {
        self.last_rx = Some(now);
        if std::mem::take(&mut self.has_new) {
            self.first.get_or_insert(now);
            self.last = Some(now);
        }
    }

    /// When all are shown, if nothing new comes until then. Unknown before the first route: silence
    /// alone does not count as an empty table.
    pub(super) fn shown_at(&self, started: Instant, quiet_time: Duration) -> Option<Instant> {
        if self.has_end_marker {
            return Some(started);
        }
        self.after(self.last?, quiet_time)
    }

    /// When those that were not shown may go, if nothing at all comes until then: zebra writes
    /// changes and its initial routes into one buffer (`fpm_nl_enqueue`), and may not get to the
    /// rest of these for a while.
    pub(super) fn complete_at(&self, started: Instant, quiet_time: Duration) -> Option<Instant> {
        if self.has_end_marker {
            return Some(started);
        }
        self.after(self.last_rx?, quiet_time)
    }

    fn after(&self, last: Instant, quiet_time: Duration) -> Option<Instant> {
        let latest = self.first? + quiet_time.saturating_mul(MAX_QUIET_TIMES);
        Some(latest.min(last + quiet_time))
    }

    /// Forgets what it no longer needs, once all are shown.
    pub(super) fn end(&mut self) {
        self.outside = HashSet::new();
    }
}

#[cfg(test)]
mod tests {
    use bgpreflector_core::table::Scope;

    use super::*;

    const QUIET: Duration = Duration::from_secs(5);
    /// No mirrored table.
    const OTHER: u32 = 77;

    fn prefix(number: u32) -> Prefix {
        Prefix::v4(number << 8, 24)
    }

    #[test]
    fn silence_counts_from_the_last_new_route() {
        let (mut routes, table) = (InitialRoutes::default(), Table::new(Scope::default()));
        let started = Instant::now();
        let at = |seconds| started + Duration::from_secs(seconds);
        assert_eq!(routes.shown_at(started, QUIET), None);
        routes.arrived(at(1));
        assert_eq!(routes.shown_at(started, QUIET), None, "no route came");
        for (seconds, number) in [(2, 1), (4, 2)] {
            routes.announced(&table, 254, prefix(number));
            routes.arrived(at(seconds));
        }
        assert_eq!(routes.shown_at(started, QUIET), Some(at(9)));
        routes.withdrawn(&table, 254, prefix(2));
        routes.arrived(at(5));
        for seconds in 6..60 {
            routes.announced(&table, 254, prefix(2));
            routes.withdrawn(&table, 254, prefix(2));
            routes.arrived(at(seconds));
        }
        assert_eq!(routes.shown_at(started, QUIET), Some(at(10)), "it flaps");
        assert_eq!(routes.complete_at(started, QUIET), Some(at(64)));
    }

    #[test]
    fn routes_out_of_scope_are_new_once() {
        let (mut routes, table) = (InitialRoutes::default(), Table::new(Scope::default()));
        let started = Instant::now();
        let at = |seconds| started + Duration::from_secs(seconds);
        for seconds in [1, 2] {
            routes.announced(&table, OTHER, prefix(1));
            routes.arrived(at(seconds));
        }
        assert_eq!(routes.shown_at(started, QUIET), Some(at(6)));
    }

    #[test]
    fn new_routes_without_an_end_and_an_end_marker() {
        let (mut routes, table) = (InitialRoutes::default(), Table::new(Scope::default()));
        let started = Instant::now();
        let at = |seconds| started + Duration::from_secs(seconds);
        for number in 0..400 {
            routes.announced(&table, 254, prefix(number));
            routes.arrived(at(number.into()));
        }
        assert_eq!(routes.shown_at(started, QUIET), Some(at(300)));
        assert_eq!(routes.complete_at(started, QUIET), Some(at(300)));
        routes.end_marker();
        assert_eq!(routes.shown_at(started, QUIET), Some(started));
        assert_eq!(routes.complete_at(started, QUIET), Some(started));
    }
}
