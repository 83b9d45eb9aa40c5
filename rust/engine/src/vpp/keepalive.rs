//! Keepalive: pings an idle VPP, and detects one that does not answer.

use std::time::{Duration, Instant};

use crate::error::VppError;

/// Detects a VPP that keeps the connection open and does not answer.
///
/// While requests are unanswered, anything received shows that VPP runs. While there are none it
/// is pinged, since a VPP may hang without closing its socket.
#[derive(Debug)]
pub(super) struct Keepalive {
    /// None disables the ping of an idle VPP.
    interval: Option<Duration>,
    timeout_after: Duration,
    last_rx: Instant,
    pinged: Option<Instant>,
}

impl Keepalive {
    /// Starts with nothing requested. An `interval` of zero disables pings.
    pub(super) fn new(interval: Duration, timeout_after: Duration, now: Instant) -> Self {
        Self {
            interval: Some(interval).filter(|interval| !interval.is_zero()),
            timeout_after,
            last_rx: now,
            pinged: None,
        }
    }

    /// Records a received message, or the first request after an idle time.
    pub(super) fn on_rx(&mut self, now: Instant) {
        self.last_rx = now;
    }

    /// VPP answered the ping.
    pub(super) fn answered(&mut self) {
        self.pinged = None;
    }

    /// Whether to ping an idle VPP now; it then counts as pinged.
    pub(super) fn ping(&mut self, now: Instant) -> bool {
        let due = self.next_ping().is_some_and(|at| now >= at);
        if due {
            self.pinged = Some(now);
        }
        due
    }

    fn next_ping(&self) -> Option<Instant> {
        match self.pinged {
            Some(_) => None,
            None => self.last_rx.checked_add(self.interval?),
        }
    }

    /// The maximum `poll` timeout with `pending` unanswered requests; none for no limit.
    pub(super) fn timeout(&self, now: Instant, pending: usize) -> Option<Duration> {
        let request = (pending > 0).then_some(self.last_rx);
        let given_up = [request, self.pinged].into_iter().flatten();
        let given_up = given_up.filter_map(|since| since.checked_add(self.timeout_after));
        let next_ping = self.next_ping().filter(|_| pending == 0);
        let next = given_up.chain(next_ping).min()?;
        Some(next.saturating_duration_since(now))
    }

    /// Fails if VPP was silent for too long with `pending` unanswered requests.
    pub(super) fn check(&self, now: Instant, pending: usize) -> Result<(), VppError> {
        let request = (pending > 0).then_some(self.last_rx);
        let since = request.into_iter().chain(self.pinged).min();
        let after = since.map(|since| now.saturating_duration_since(since));
        match after.filter(|after| *after >= self.timeout_after) {
            Some(after) => Err(VppError::Unresponsive {
                after,
                pending: pending + usize::from(self.pinged.is_some()),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);
    const TIMEOUT: Duration = Duration::from_secs(10);

    fn idle(interval: Duration) -> (Keepalive, Instant) {
        let start = Instant::now();
        (Keepalive::new(interval, TIMEOUT, start), start)
    }

    fn lost(keepalive: &Keepalive, now: Instant, pending: usize) -> bool {
        matches!(
            keepalive.check(now, pending),
            Err(VppError::Unresponsive { .. })
        )
    }

    #[test]
    fn an_idle_vpp_is_pinged_and_given_up() {
        let (mut keepalive, start) = idle(INTERVAL);
        assert_eq!(keepalive.timeout(start, 0), Some(INTERVAL));
        assert!(!keepalive.ping(start + INTERVAL / 2));
        let pinged = start + INTERVAL;
        assert!(keepalive.ping(pinged));
        assert!(!keepalive.ping(pinged + INTERVAL), "one ping at a time");
        assert_eq!(keepalive.timeout(pinged, 0), Some(TIMEOUT));
        assert!(!lost(&keepalive, pinged + TIMEOUT / 2, 0));
        assert!(lost(&keepalive, pinged + TIMEOUT, 0));
    }

    #[test]
    fn an_answer_begins_another_interval() {
        let (mut keepalive, start) = idle(INTERVAL);
        assert!(keepalive.ping(start + INTERVAL));
        let answered = start + INTERVAL + TIMEOUT / 2;
        keepalive.on_rx(answered);
        keepalive.answered();
        assert!(!lost(&keepalive, answered + TIMEOUT, 0));
        assert_eq!(keepalive.timeout(answered, 0), Some(INTERVAL));
        assert!(keepalive.ping(answered + INTERVAL));
    }

    #[test]
    fn other_messages_do_not_answer_a_ping() {
        let (mut keepalive, start) = idle(INTERVAL);
        assert!(keepalive.ping(start + INTERVAL));
        keepalive.on_rx(start + INTERVAL + TIMEOUT / 2);
        assert!(lost(&keepalive, start + INTERVAL + TIMEOUT, 0));
    }

    #[test]
    fn without_an_interval_nothing_is_pinged() {
        let (mut keepalive, start) = idle(Duration::ZERO);
        assert_eq!(keepalive.timeout(start, 0), None);
        assert!(!keepalive.ping(start + TIMEOUT));
        assert!(!lost(&keepalive, start + TIMEOUT, 0));
        assert!(lost(&keepalive, start + TIMEOUT, 1));
    }

    #[test]
    fn the_timeout_of_requests_begins_with_the_last_message() {
        let (mut keepalive, start) = idle(INTERVAL);
        keepalive.on_rx(start + TIMEOUT / 2);
        assert_eq!(keepalive.timeout(start + TIMEOUT / 2, 3), Some(TIMEOUT));
        assert!(!lost(&keepalive, start + TIMEOUT, 3));
        assert!(lost(&keepalive, start + TIMEOUT + TIMEOUT / 2, 3));
    }
}
