//! Limits the rate of requests: a token bucket.

use std::time::{Duration, Instant};

const SECOND: u64 = 1_000_000_000;
/// Fractions of a second that the bucket holds: small enough to smooth the load, large enough that
/// a thread with millisecond sleeps reaches the limit.
const BURSTS_PER_SECOND: u32 = 100;
/// The minimum wait at a high rate, which avoids a wake-up per request.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// A bucket that gains one token per allowed request.
#[derive(Debug)]
pub(super) struct TokenBucket {
    /// Nanoseconds per token, and the bucket's capacity.
    limit: Option<(u64, u32)>,
    /// When the bucket was empty, or would have been.
    empty: Instant,
}

impl TokenBucket {
    /// A full bucket. Without a limit, or with a limit of zero, everything is allowed.
    pub(super) fn new(per_second: Option<u32>, now: Instant) -> Self {
        let limit = per_second.and_then(|rate| {
            let interval = SECOND.checked_div(rate.into())?.max(1);
            Some((interval, rate.div_ceil(BURSTS_PER_SECOND)))
        });
        Self {
            limit,
            // Long enough ago: `allowed` never exceeds the capacity.
            empty: now.checked_sub(Duration::from_secs(1)).unwrap_or(now),
        }
    }

    /// How many requests may be sent now, at most `wanted`.
    pub(super) fn allowed(&self, now: Instant, wanted: usize) -> usize {
        let Some((interval, room)) = self.limit else {
            return wanted;
        };
        let since = now.saturating_duration_since(self.empty).as_nanos();
        let tokens = since / u128::from(interval);
        usize::try_from(tokens.min(room.into())).map_or(wanted, |tokens| tokens.min(wanted))
    }

    /// Records requests sent, at most as many as were allowed at `now`.
    pub(super) fn spend(&mut self, now: Instant, sent: usize) {
        let Some((interval, room)) = self.limit else {
            return;
        };
        let nanoseconds = |tokens: u64| Duration::from_nanos(interval.saturating_mul(tokens));
        let full = now.checked_sub(nanoseconds(room.into())).unwrap_or(now);
        let sent = u64::try_from(sent).unwrap_or(u64::MAX);
        self.empty = self.empty.max(full) + nanoseconds(sent);
    }

    /// The time until one more request is allowed.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let Some((interval, _)) = self.limit else {
            return Duration::ZERO;
        };
        let next = self.empty + Duration::from_nanos(interval);
        let wait = next.saturating_duration_since(now);
        if wait.is_zero() {
            wait
        } else {
            wait.max(MIN_WAIT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as much as is allowed, and waits as long as required each time.
    fn time_for(rate: u32, requests: usize) -> Duration {
        let start = Instant::now();
        let (mut bucket, mut now, mut left) =
            (TokenBucket::new(Some(rate), start), start, requests);
        while left > 0 {
            let allowed = bucket.allowed(now, left);
            assert!(allowed <= left);
            bucket.spend(now, allowed);
            left -= allowed;
            now += bucket.wait(now);
        }
        now.duration_since(start)
    }

    #[test]
    fn a_limit_is_kept_and_reached() {
        for rate in [1, 3, 99, 100, 1_000, 12_345, 1_000_000] {
            let requests = usize::try_from(rate).unwrap() * 3;
            let took = time_for(rate, requests).as_secs_f64();
            // The initial burst of a hundredth of a second, or of one request, is free.
            let burst = f64::from(rate.div_ceil(100)) / f64::from(rate);
            assert!(took >= 3.0 - burst - 0.001, "{rate} a second: {took}");
            assert!(
                took <= 3.001 + 1.0 / f64::from(rate),
                "{rate} a second: {took}"
            );
        }
    }

    #[test]
    fn nothing_is_saved_up_beyond_the_burst() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Some(1_000), start);
        let later = start + Duration::from_secs(3_600);
        assert_eq!(bucket.allowed(later, 10_000), 10);
        bucket.spend(later, 10);
        assert_eq!(bucket.allowed(later, 10_000), 0);
        assert_eq!(bucket.wait(later), Duration::from_millis(1));
        assert_eq!(bucket.allowed(later + Duration::from_millis(4), 10_000), 4);
    }

    #[test]
    fn what_was_not_sent_is_not_lost() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(Some(1_000), start);
        assert_eq!(bucket.allowed(start, 10_000), 10);
        bucket.spend(start, 4);
        assert_eq!(bucket.allowed(start, 10_000), 6);
    }

    #[test]
    fn without_a_limit_all_is_allowed() {
        let start = Instant::now();
        for unlimited in [None, Some(0)] {
            let mut bucket = TokenBucket::new(unlimited, start);
            bucket.spend(start, 1_000);
            assert_eq!(bucket.allowed(start, 10_000), 10_000);
            assert_eq!(bucket.wait(start), Duration::ZERO);
        }
    }
}
