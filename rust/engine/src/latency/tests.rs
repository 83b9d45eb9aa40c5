use super::*;

const MS: Duration = Duration::from_millis(1);

fn counts(waiting: &LatencyTracker) -> Vec<(f64, u64)> {
    let bounds = BOUNDS.iter().copied().chain([f64::INFINITY]);
    let buckets = waiting.latency.buckets;
    bounds
        .zip(buckets)
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[test]
fn each_change_is_counted_with_its_own_wait() {
    let (mut waiting, start) = (LatencyTracker::default(), Instant::now());
    waiting.queued(2, start);
    waiting.queued(5, start + MS * 4);
    assert_eq!(waiting.oldest(5, start + MS * 9), Some(MS * 9));
    let through = waiting.dequeued(4, 4);
    waiting.queued(2, start + MS * 9);
    assert_eq!(waiting.oldest(2, start + MS * 9), Some(MS * 9));
    waiting.answered(through, 4, start + MS * 9);
    assert_eq!(counts(&waiting), [(0.005, 2), (0.01, 2)]);
    assert!((waiting.latency.sum - 0.028).abs() < 1e-9);
    // The one that is left came with the second checkpoint.
    assert_eq!(waiting.oldest(2, start + MS * 10), Some(MS * 6));
    let through = waiting.dequeued(2, 2);
    waiting.answered(through, 2, start + MS * 10);
    assert_eq!(counts(&waiting).iter().map(|(_, n)| n).sum::<u64>(), 6);
    assert_eq!(waiting.oldest(0, start + MS * 10), None);
    assert!(waiting.checkpoints.is_empty());
}

#[test]
fn what_needs_nothing_is_not_counted() {
    let (mut waiting, start) = (LatencyTracker::default(), Instant::now());
    waiting.queued(10, start);
    waiting.dequeued(10, 0);
    assert!(waiting.checkpoints.is_empty());
    waiting.queued(10, start + MS);
    let through = waiting.dequeued(10, 3);
    waiting.answered(through, 3, start + MS * 2);
    assert_eq!(counts(&waiting), [(0.001, 3)]);
}

#[test]
fn a_batch_that_fails_keeps_its_age() {
    let (mut waiting, start) = (LatencyTracker::default(), Instant::now());
    waiting.queued(3, start);
    waiting.dequeued(3, 3);
    waiting.queued(3, start + MS * 50);
    waiting.gave_up();
    assert_eq!(waiting.oldest(3, start + MS * 100), Some(MS * 100));
    let through = waiting.dequeued(3, 3);
    waiting.answered(through, 3, start + MS * 100);
    let counted: u64 = waiting.latency.buckets.iter().sum();
    assert_eq!(counted, 3);
    assert_eq!(waiting.oldest(0, start + MS * 100), None);
}

#[test]
fn marks_are_bounded() {
    let (mut waiting, start) = (LatencyTracker::default(), Instant::now());
    for n in 0..100_000_usize {
        waiting.queued(n + 1, start + Duration::from_micros(n as u64));
        assert!(waiting.checkpoints.len() <= MAX_CHECKPOINTS);
    }
    assert_eq!(
        waiting.oldest(1, start + Duration::from_secs(1)),
        Some(Duration::from_secs(1))
    );
    let through = waiting.dequeued(100_000, 100_000);
    waiting.answered(through, 100_000, start + Duration::from_secs(1));
    let counted: u64 = waiting.latency.buckets.iter().sum();
    assert_eq!(counted, 100_000);
}
