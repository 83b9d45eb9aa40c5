//! Whether a thread makes progress, for the watchdog.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Incremented by a thread, and by another that does its work inline.
#[derive(Debug, Default)]
pub struct Heartbeat {
    beats: AtomicU64,
    running: AtomicU32,
}

/// A thread's state at one moment. The thread hangs if it has work at two moments far apart, with
/// the same count of beats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Liveness {
    /// Whether it is running, or should be.
    pub has_work: bool,
    /// Steps of progress so far.
    pub beats: u64,
}

impl Heartbeat {
    /// Records a step of progress.
    pub(crate) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Marks the thread as running until the guard is dropped.
    pub(crate) fn running(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    /// The liveness; `idle_has_work` returns whether an idle thread has work to do, and must
    /// not block on the running thread.
    pub(crate) fn liveness(&self, idle_has_work: impl FnOnce() -> bool) -> Liveness {
        let beats = self.beats.load(Ordering::Relaxed);
        let running = self.running.load(Ordering::Relaxed) > 0;
        Liveness {
            has_work: running || idle_has_work(),
            beats,
        }
    }
}

/// Marks a thread as running.
pub(crate) struct Running<'a>(&'a Heartbeat);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.beat();
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::{Duration, Instant};

    use super::{Heartbeat, Liveness};

    /// A liveness that stays the same for a while.
    pub(crate) fn still(liveness: impl Fn() -> Liveness, has_work: bool) -> Liveness {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let seen = liveness();
            std::thread::sleep(Duration::from_millis(20));
            if seen.has_work == has_work && liveness() == seen {
                return seen;
            }
            assert!(Instant::now() < deadline, "{seen:?}");
        }
    }

    #[test]
    fn an_idle_thread_has_the_work_that_waits() {
        let heartbeat = Heartbeat::default();
        let liveness = |has_work, beats| Liveness { has_work, beats };
        assert_eq!(heartbeat.liveness(|| false), liveness(false, 0));
        assert_eq!(heartbeat.liveness(|| true), liveness(true, 0));
        let work = heartbeat.running();
        heartbeat.beat();
        assert_eq!(heartbeat.liveness(|| false), liveness(true, 1));
        drop(work);
        assert_eq!(heartbeat.liveness(|| false), liveness(false, 2));
    }
}
