//! Schedules the next dump of the kernel.

use std::time::{Duration, Instant};

use bgpreflector_core::table::DumpScope;

bgpreflector_core::named_enum! {
    /// The reason for a dump; of two reasons the greater counts.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Reason {
        /// An audit, periodic or requested.
        Audit = "audit",
        /// The time for which routes of an earlier run stay is over.
        StaleRoutes = "stale_routes_time",
        /// The start, or a requested resync.
        Requested = "requested",
        /// A link, an address or a next-hop object changed, which removes routes without a message.
        Event = "event",
        /// The previous resync could not compare everything.
        Incomplete = "incomplete",
        /// The kernel dropped notifications.
        Overrun = "overrun",
    }
}

/// Maximum number of interfaces to dump one by one: for each the kernel walks the whole table, and
/// skipping a route takes it about a tenth of the time that showing it does.
const MAX_INTERFACES: usize = 10;

/// The scope that covers both.
fn union(a: DumpScope, b: DumpScope) -> DumpScope {
    match a.union(b) {
        DumpScope::Interfaces(all) if all.len() > MAX_INTERFACES => DumpScope::Everything,
        dump_scope => dump_scope,
    }
}

/// A scheduled resync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) at: Instant,
    pub(super) reason: Reason,
    pub(super) dump_scope: DumpScope,
}

/// The next resync, if one is scheduled.
#[derive(Debug, Default)]
pub(super) struct ResyncSchedule(Option<Planned>);

impl ResyncSchedule {
    /// Schedules a resync, merged with one that is already scheduled.
    pub(super) fn request(&mut self, pause: Duration, reason: Reason, dump_scope: DumpScope) {
        let new = Planned {
            at: Instant::now() + pause,
            reason,
            dump_scope,
        };
        self.0 = Some(match self.0.take() {
            None => new,
            Some(old) => Planned {
                // The pause after an overrun lets the kernel catch up: only another overrun may
                // shorten it.
                at: match (old.reason, new.reason) {
                    (Reason::Overrun, Reason::Overrun) => old.at.min(new.at),
                    (Reason::Overrun, _) => old.at,
                    (_, Reason::Overrun) => new.at,
                    _ => old.at.min(new.at),
                },
                reason: old.reason.max(new.reason),
                dump_scope: union(old.dump_scope, new.dump_scope),
            },
        });
    }

    pub(super) fn at(&self) -> Option<Instant> {
        self.0.as_ref().map(|planned| planned.at)
    }

    /// The scheduled resync, if it is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Planned> {
        self.0.take_if(|planned| planned.at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_merged() {
        let mut schedule = ResyncSchedule::default();
        assert!(schedule.take_due(Instant::now()).is_none());
        let hour = Duration::from_secs(3600);
        schedule.request(hour, Reason::Event, DumpScope::interface(1));
        assert!(schedule.take_due(Instant::now()).is_none());
        schedule.request(Duration::ZERO, Reason::Event, DumpScope::interface(2));
        let due = schedule.take_due(Instant::now()).unwrap();
        let both = DumpScope::Interfaces([1, 2].into());
        assert_eq!((due.reason, due.dump_scope), (Reason::Event, both));
        assert_eq!(schedule.at(), None);
        schedule.request(Duration::ZERO, Reason::Overrun, DumpScope::Everything);
        schedule.request(Duration::ZERO, Reason::Event, DumpScope::interface(1));
        let due = schedule.take_due(Instant::now()).unwrap();
        assert_eq!(
            (due.reason, due.dump_scope),
            (Reason::Overrun, DumpScope::Everything)
        );
    }

    #[test]
    fn an_event_does_not_shorten_the_pause_after_an_overrun() {
        let (second, now) = (Duration::from_secs(1), Instant::now());
        for overrun_first in [true, false] {
            let mut schedule = ResyncSchedule::default();
            let overrun = |schedule: &mut ResyncSchedule| {
                schedule.request(5 * second, Reason::Overrun, DumpScope::Everything);
            };
            if overrun_first {
                overrun(&mut schedule);
            }
            schedule.request(second / 10, Reason::Event, DumpScope::interface(1));
            if !overrun_first {
                overrun(&mut schedule);
            }
            assert_eq!(schedule.take_due(now + 4 * second), None);
            let due = schedule.take_due(now + 6 * second).unwrap();
            assert_eq!(due.dump_scope, DumpScope::Everything);
        }
    }

    #[test]
    fn many_interfaces_are_everything() {
        let mut schedule = ResyncSchedule::default();
        let mut scope_of = |interfaces: std::ops::Range<u32>| {
            for index in interfaces {
                schedule.request(Duration::ZERO, Reason::Event, DumpScope::interface(index));
            }
            schedule.take_due(Instant::now()).unwrap().dump_scope
        };
        let most = u32::try_from(MAX_INTERFACES).unwrap();
        assert_eq!(
            scope_of(0..most),
            DumpScope::Interfaces((0..most).collect())
        );
        assert_eq!(scope_of(0..most + 1), DumpScope::Everything);
    }
}
