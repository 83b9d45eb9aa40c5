//! How long to let VPP's answers accumulate before reading them.
//!
//! Waking up for every few answers costs this thread more than the answers do, and it costs VPP,
//! whose write does the waking. While VPP has enough requests to work on, waiting delays nothing.

use std::time::{Duration, Instant};

/// The longest pause, and the shortest worth taking.
const MAX_DELAY: Duration = Duration::from_millis(1);
const MIN_DELAY: Duration = Duration::from_micros(500);

/// How many of `pending` unanswered requests VPP has, with `unsent` bytes that wait for room in the
/// socket, of requests of `length` bytes.
///
/// Many wait in a full sync: the socket holds fewer adds than may be in flight.
pub(super) fn sent_requests(pending: usize, unsent: usize, length: usize) -> usize {
    pending.saturating_sub(unsent.div_ceil(length.max(1)))
}

/// VPP's recent answers.
#[derive(Debug)]
pub(super) struct RxCoalescer {
    /// Half of the requests that may be in flight.
    half: usize,
    /// Answers since then.
    answered: usize,
    since: Option<Instant>,
    /// How long VPP took for the last half of them.
    took: Duration,
}

impl RxCoalescer {
    pub(super) fn new(max_in_flight: usize) -> Self {
        Self {
            half: max_in_flight / 2,
            answered: 0,
            since: None,
            took: Duration::ZERO,
        }
    }

    /// Records `count` answers, while VPP has `pending` requests to work on.
    pub(super) fn answered(&mut self, count: usize, pending: usize, now: Instant) {
        if pending <= self.half {
            (self.answered, self.since) = (0, None);
            self.took = Duration::ZERO;
            return;
        }
        let since = *self.since.get_or_insert(now);
        self.answered += count;
        if self.answered >= self.half && now > since {
            self.took = now - since;
            self.since = Some(now);
            self.answered = 0;
        }
    }

    /// How long to leave answers unread with `pending` unanswered requests: never so long that VPP
    /// could finish more than half of them. None if it is not worthwhile.
    pub(super) fn delay(&self, pending: usize) -> Option<Duration> {
        let pause = (self.took / 2).min(MAX_DELAY);
        (pending > self.half && pause >= MIN_DELAY).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers arrive 64 at a time at this rate a second, with as many in flight as may be; returns
    /// the pause.
    fn pause_at(rate: u32, max_in_flight: usize) -> Option<Duration> {
        let (mut coalescer, mut now) = (RxCoalescer::new(max_in_flight), Instant::now());
        for _ in 0..max_in_flight {
            now += Duration::from_secs(64) / rate;
            coalescer.answered(64, max_in_flight, now);
        }
        coalescer.delay(max_in_flight)
    }

    #[test]
    fn a_vpp_of_the_usual_speed_is_left_alone_for_a_moment() {
        assert_eq!(pause_at(100_000, 1024), Some(MAX_DELAY));
        assert_eq!(pause_at(250_000, 1024), Some(MAX_DELAY));
    }

    #[test]
    fn a_fast_one_or_one_with_little_to_do_is_not() {
        assert_eq!(pause_at(1_000_000, 1024), None);
        assert_eq!(pause_at(150_000, 64), None);
    }

    #[test]
    fn what_waits_for_the_socket_vpp_does_not_have() {
        assert_eq!(sent_requests(1024, 0, 170), 1024);
        assert_eq!(sent_requests(1024, 170 * 300, 170), 724);
        assert_eq!(sent_requests(1024, 170 * 300 + 1, 170), 723);
        assert_eq!(sent_requests(10, 1 << 20, 170), 0);
        assert_eq!(sent_requests(10, 5, 0), 5, "nothing was encoded yet");
    }

    #[test]
    fn at_the_end_of_the_requests_each_answer_counts() {
        let (mut coalescer, mut now) = (RxCoalescer::new(1024), Instant::now());
        for _ in 0..100 {
            now += Duration::from_millis(1);
            coalescer.answered(100, 1024, now);
        }
        assert!(coalescer.delay(1024).is_some());
        assert_eq!(coalescer.delay(512), None);
        coalescer.answered(1, 500, now);
        assert_eq!(
            coalescer.delay(1024),
            None,
            "the next batch is measured anew"
        );
    }
}
