//! Whether a thread makes progress, for the watchdog.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Incremented by a thread, and by another that does its work inline.
#[derive(Debug, Default)]
pub struct Heartbeat {
    beats: AtomicU64,
    running: AtomicU32,
}

/// What is seen of a thread at one moment. It hangs if it has something to do at two moments far
/// apart, and the beats are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Whether it is running, or has work to do.
    pub has_to_do: bool,
    /// How often it has got on.
    pub beats: u64,
}

impl Heartbeat {
    /// It has got on.
    pub(crate) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Marks the thread as running until the guard is dropped.
    pub(crate) fn running(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    /// The pulse; `should` returns whether an idle thread has work to do. It must not block on the
    /// running thread.
    pub(crate) fn pulse(&self, should: impl FnOnce() -> bool) -> Pulse {
        let beats = self.beats.load(Ordering::Relaxed);
        let running = self.running.load(Ordering::Relaxed) > 0;
        Pulse {
            has_to_do: running || should(),
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
mod tests {
    use super::{Heartbeat, Pulse};

    #[test]
    fn who_rests_has_to_do_what_there_is() {
        let heartbeat = Heartbeat::default();
        let pulse = |has_to_do, beats| Pulse { has_to_do, beats };
        assert_eq!(heartbeat.pulse(|| false), pulse(false, 0));
        assert_eq!(heartbeat.pulse(|| true), pulse(true, 0));
        let work = heartbeat.running();
        heartbeat.beat();
        assert_eq!(heartbeat.pulse(|| false), pulse(true, 1));
        drop(work);
        assert_eq!(heartbeat.pulse(|| false), pulse(false, 2));
    }
}
