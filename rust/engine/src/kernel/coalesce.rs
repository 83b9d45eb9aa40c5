//! Whether notifications arrive so fast that they should be read in batches.
//!
//! Each wake-up costs the kernel, this process and VPP more than a notification does, and in a
//! burst no processor is idle: the kernel needs one to make progress.

use std::time::{Duration, Instant};

/// How long notifications accumulate in a burst before they are read.
pub(super) const COALESCE_TIME: Duration = Duration::from_millis(1);
/// Notifications within this time after the last read count as quick succession.
const QUICK_SUCCESSION: Duration = Duration::from_micros(500);
/// How often that must happen before it counts as a burst: a few changes are not delayed.
const BURST_LENGTH: u32 = 16;

/// When notifications arrived.
#[derive(Debug, Default)]
pub(super) struct Coalescer {
    last_read: Option<Instant>,
    quick: u32,
}

impl Coalescer {
    /// Records the arrival of notifications; returns whether to wait for more before reading.
    pub(super) fn arrived(&mut self, now: Instant) -> bool {
        let quick = |last| now.saturating_duration_since(last) < QUICK_SUCCESSION;
        self.quick = match self.last_read {
            Some(last) if quick(last) => self.quick.saturating_add(1),
            _ => 0,
        };
        self.is_on()
    }

    /// Whether a burst is in progress.
    pub(super) fn is_on(&self) -> bool {
        self.quick >= BURST_LENGTH
    }

    /// Records that all pending notifications have been read.
    pub(super) fn read(&mut self, now: Instant) {
        self.last_read = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::{BURST_LENGTH, Coalescer, QUICK_SUCCESSION};
    use std::time::{Duration, Instant};

    /// Notifications arrive `pause` after the last read; returns what `arrived` does.
    fn next(burst: &mut Coalescer, now: &mut Instant, pause: Duration) -> bool {
        *now += pause;
        let coalesces = burst.arrived(*now);
        burst.read(*now);
        coalesces
    }

    #[test]
    fn only_what_lasts_is_a_burst() {
        let (mut burst, mut now) = (Coalescer::default(), Instant::now());
        for _ in 0..BURST_LENGTH {
            assert!(!next(&mut burst, &mut now, QUICK_SUCCESSION / 2));
        }
        for _ in 0..3 {
            assert!(next(&mut burst, &mut now, QUICK_SUCCESSION / 2));
        }
    }

    #[test]
    fn a_pause_ends_it() {
        let (mut burst, mut now) = (Coalescer::default(), Instant::now());
        for _ in 0..=BURST_LENGTH {
            next(&mut burst, &mut now, Duration::ZERO);
        }
        for _ in 0..BURST_LENGTH {
            assert!(!next(&mut burst, &mut now, QUICK_SUCCESSION));
        }
    }
}
