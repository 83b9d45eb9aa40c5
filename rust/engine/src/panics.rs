//! Panics of threads, as errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// A panic's message, with the name of the current thread.
pub(crate) fn reason(payload: &(dyn Any + Send)) -> String {
    let said = payload.downcast_ref::<&str>().copied();
    let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let thread = thread::current();
    let name = thread.name().unwrap_or("without a name");
    format!("thread {name} panicked: {}", said.unwrap_or("no message"))
}

/// The result of `work`, or its panic's message. What it was changing may be half done and must not
/// be used.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| reason(&*payload))
}

#[cfg(test)]
#[allow(clippy::panic, reason = "it is what is tested")]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_is_named_with_its_thread() {
        let named = |name: &str, work: fn()| {
            let thread = std::thread::Builder::new().name(name.into());
            thread.spawn(move || guarded(work)).unwrap().join().unwrap()
        };
        assert_eq!(named("a", || ()), Ok(()));
        let said = named("a", || panic!("{} of two", 1));
        assert_eq!(said, Err("thread a panicked: 1 of two".into()));
        let said = named("b", || panic!("one"));
        assert_eq!(said, Err("thread b panicked: one".into()));
        let said = named("b", || std::panic::panic_any(7));
        assert_eq!(said, Err("thread b panicked: no message".into()));
    }
}
