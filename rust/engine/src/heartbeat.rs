//! Whether a thread gets on with what it has to do, for those who watch it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Turned by a thread, and by whoever does its work in its place.
#[derive(Debug, Default)]
pub struct Heartbeat {
    beats: AtomicU64,
    at_work: AtomicU32,
}

/// What is seen of a thread at one moment. It hangs if it has something to do at two moments far
/// apart, and the beats are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Whether it is at work, or should be.
    pub has_to_do: bool,
    /// How often it has got on.
    pub beats: u64,
}

impl Heartbeat {
    /// It has got on.
    pub(crate) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Somebody is at work until this is dropped.
    pub(crate) fn at_work(&self) -> AtWork<'_> {
        self.at_work.fetch_add(1, Ordering::Relaxed);
        AtWork(self)
    }

    /// The pulse, where `should` tells whether there is something to do for one that is at rest. It
    /// must not wait for whoever is at work.
    pub(crate) fn pulse(&self, should: impl FnOnce() -> bool) -> Pulse {
        let beats = self.beats.load(Ordering::Relaxed);
        let at_work = self.at_work.load(Ordering::Relaxed) > 0;
        Pulse {
            has_to_do: at_work || should(),
            beats,
        }
    }
}

/// Somebody is at work.
pub(crate) struct AtWork<'a>(&'a Heartbeat);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.beat();
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
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
        let work = heartbeat.at_work();
        heartbeat.beat();
        assert_eq!(heartbeat.pulse(|| false), pulse(true, 1));
        drop(work);
        assert_eq!(heartbeat.pulse(|| false), pulse(false, 2));
    }
}
