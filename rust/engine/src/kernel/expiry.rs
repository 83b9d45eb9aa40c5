//! Routes that the kernel stops using without a message: IPv6 routes can have a lifetime
//! (`RTF_EXPIRES`), are unused once it has expired (`fib6_check_expired`), and are removed up to
//! half a minute later.
//!
//! A router advertisement extends a lifetime without a message too, even one that has ended, so only
//! a dump, which shows the remaining lifetime, resolves such routes.

use std::time::{Duration, Instant};

use crate::deadline::earlier;

/// Dumps for this reason take at most this fraction of the time.
const MAX_SHARE: u32 = 20;

/// How long after the end of a lifetime the kernel is dumped again. It reports the remainder in
/// ticks of 10 ms: another lifetime may have less than a tick left, which looks like no lifetime.
const SECOND_LOOK: Duration = Duration::from_millis(100);

/// The next end of a lifetime.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    at: Option<Instant>,
    not_before: Option<Instant>,
    /// The next dump follows one for the end of a lifetime.
    repeats: bool,
    /// The dump in progress was scheduled by the end of a lifetime.
    ended: bool,
}

impl Expiry {
    /// Records the remaining lifetime of a route.
    pub(super) fn after(&mut self, left: Option<Duration>) {
        let at = left.and_then(|left| Instant::now().checked_add(left));
        self.at = earlier(self.at, at);
    }

    /// When to dump the kernel.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at.max(self.at.and(self.not_before))
    }

    /// Whether the time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        let due = self.at().is_some_and(|at| at <= now);
        if due {
            self.at = None;
            self.ended = !std::mem::take(&mut self.repeats);
        }
        due
    }

    /// A dump showed routes that were not known, and may have ended within a tick.
    pub(super) fn dump_showed_unknown(&mut self) {
        self.after(Some(SECOND_LOOK));
    }

    /// Records a complete dump: how long it took, and the shortest lifetime in it.
    pub(super) fn dumped(&mut self, left: Option<Duration>, took: Duration) {
        self.after(left);
        if std::mem::take(&mut self.ended) {
            self.repeats = left.is_none_or(|left| left > SECOND_LOOK);
            self.after(Some(SECOND_LOOK));
        }
        self.not_before = Instant::now().checked_add(took.saturating_mul(MAX_SHARE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_lifetime_counts() {
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
        let mut expiry = Expiry::default();
        let now = Instant::now();
        assert!(!expiry.take_due(now + hour));
        expiry.after(Some(hour));
        expiry.after(Some(second));
        expiry.after(None);
        assert!(!expiry.take_due(now));
        assert!(expiry.take_due(now + 2 * second));
        assert_eq!(expiry.at(), None);
    }

    #[test]
    fn the_end_of_a_lifetime_is_looked_at_twice() {
        let mut expiry = Expiry::default();
        let late = |hours: u64| Instant::now() + Duration::from_secs(3600 * hours);
        expiry.after(Some(Duration::ZERO));
        assert!(expiry.take_due(late(1)));
        expiry.dumped(None, Duration::ZERO);
        assert!(expiry.take_due(late(1)));
        expiry.dumped(None, Duration::ZERO);
        assert_eq!(expiry.at(), None);
        // A lifetime that ends before the second dump counts as an end again.
        expiry.after(Some(Duration::ZERO));
        assert!(expiry.take_due(late(1)));
        expiry.dumped(Some(SECOND_LOOK / 2), Duration::ZERO);
        for _ in 0..2 {
            assert!(expiry.take_due(late(1)));
            expiry.dumped(None, Duration::ZERO);
        }
        assert_eq!(expiry.at(), None);
    }

    #[test]
    fn dumps_keep_their_distance() {
        let second = Duration::from_secs(1);
        let mut expiry = Expiry::default();
        expiry.dumped(Some(second), second);
        let soon = Instant::now() + 2 * second;
        assert!(!expiry.take_due(soon));
        assert!(expiry.take_due(soon + MAX_SHARE * second));
    }
}
