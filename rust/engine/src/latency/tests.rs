use super::*;

const MS: Duration = Duration::from_millis(1);

fn counts(tracker: &LatencyTracker) -> Vec<(f64, u64)> {
    let bounds = BOUNDS.iter().copied().chain([f64::INFINITY]);
    let buckets = tracker.latency.buckets;
    bounds
        .zip(buckets)
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[test]
fn each_change_is_counted_with_its_own_wait() {
    let (mut tracker, start) = (LatencyTracker::default(), Instant::now());
    tracker.queued(2, start);
    tracker.queued(5, start + MS * 4);
    assert_eq!(tracker.oldest(5, start + MS * 9), Some(MS * 9));
    let through = tracker.dequeued(4, 4);
    tracker.queued(2, start + MS * 9);
    assert_eq!(tracker.oldest(2, start + MS * 9), Some(MS * 9));
    tracker.answered(through, 4, start + MS * 9);
    assert_eq!(counts(&tracker), [(0.005, 2), (0.01, 2)]);
    assert!((tracker.latency.sum - 0.028).abs() < 1e-9);
    // The one that is left came with the second checkpoint.
    assert_eq!(tracker.oldest(2, start + MS * 10), Some(MS * 6));
    let through = tracker.dequeued(2, 2);
    tracker.answered(through, 2, start + MS * 10);
    assert_eq!(counts(&tracker).iter().map(|(_, n)| n).sum::<u64>(), 6);
    assert_eq!(tracker.oldest(0, start + MS * 10), None);
    assert!(tracker.checkpoints.is_empty());
}

#[test]
fn what_needs_nothing_is_not_counted() {
    let (mut tracker, start) = (LatencyTracker::default(), Instant::now());
    tracker.queued(10, start);
    tracker.dequeued(10, 0);
    assert!(tracker.checkpoints.is_empty());
    tracker.queued(10, start + MS);
    let through = tracker.dequeued(10, 3);
    tracker.answered(through, 3, start + MS * 2);
    assert_eq!(counts(&tracker), [(0.001, 3)]);
}

#[test]
fn a_batch_that_fails_keeps_its_age() {
    let (mut tracker, start) = (LatencyTracker::default(), Instant::now());
    tracker.queued(3, start);
    tracker.dequeued(3, 3);
    tracker.queued(3, start + MS * 50);
    tracker.gave_up();
    assert_eq!(tracker.oldest(3, start + MS * 100), Some(MS * 100));
    let through = tracker.dequeued(3, 3);
    tracker.answered(through, 3, start + MS * 100);
    let counted: u64 = tracker.latency.buckets.iter().sum();
    assert_eq!(counted, 3);
    assert_eq!(tracker.oldest(0, start + MS * 100), None);
}

#[test]
fn checkpoints_are_bounded() {
    let (mut tracker, start) = (LatencyTracker::default(), Instant::now());
    for n in 0..100_000_usize {
        tracker.queued(n + 1, start + Duration::from_micros(n as u64));
        assert!(tracker.checkpoints.len() <= MAX_CHECKPOINTS);
    }
    assert_eq!(
        tracker.oldest(1, start + Duration::from_secs(1)),
        Some(Duration::from_secs(1))
    );
    let through = tracker.dequeued(100_000, 100_000);
    tracker.answered(through, 100_000, start + Duration::from_secs(1));
    let counted: u64 = tracker.latency.buckets.iter().sum();
    assert_eq!(counted, 100_000);
}
