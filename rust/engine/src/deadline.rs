//! When a thread that waits has to wake.

/// The earlier of two times, if there is one.
pub(crate) fn earlier<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    a.into_iter().chain(b).min()
}
