//! When the kernel stops to use a route without a message: IPv6 routes may have a lifetime
//! (`RTF_EXPIRES`), are not used once it is over (`fib6_check_expired`), and removed up to half a
//! minute later.
//!
//! A router advertisement prolongs a lifetime without a message too, so what has become of such
//! routes a dump tells, which shows how much is left of each.

use std::time::{Duration, Instant};

use super::follow::earlier;

/// A dump for this reason takes at most one part in so many of the time.
const SHARE: u32 = 20;

/// The next time that a lifetime ends.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    at: Option<Instant>,
    not_before: Option<Instant>,
}

impl Expiry {
    /// A route has so much of its lifetime left.
    pub(super) fn after(&mut self, left: Option<Duration>) {
        let at = left.and_then(|left| Instant::now().checked_add(left));
        self.at = earlier(self.at, at);
    }

    /// When the kernel is to be dumped.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at.max(self.at.and(self.not_before))
    }

    /// Whether the time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        let due = self.at().is_some_and(|at| at <= now);
        if due {
            self.at = None;
        }
        due
    }

    /// Everything has been dumped, in this time, and showed the shortest lifetime that there is.
    pub(super) fn dumped(&mut self, left: Option<Duration>, took: Duration) {
        self.after(left);
        self.not_before = Instant::now().checked_add(took.saturating_mul(SHARE));
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
    fn dumps_keep_their_distance() {
        let second = Duration::from_secs(1);
        let mut expiry = Expiry::default();
        expiry.dumped(Some(second), second);
        let soon = Instant::now() + 2 * second;
        assert!(!expiry.take_due(soon));
        assert!(expiry.take_due(soon + SHARE * second));
    }
}
