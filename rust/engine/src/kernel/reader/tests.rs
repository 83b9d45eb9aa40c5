use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bgpreflector_core::table::Scope;
use crossbeam_channel::bounded;

use super::super::monitor::Fault;
use super::{KernelSettings, Reader, Reason};
use crate::error::KernelError;
use crate::heartbeat::tests::still;
use crate::state::EngineState;

const TIMEOUT: Duration = Duration::from_secs(20);

fn reader() -> Arc<Reader> {
    let shared = Arc::new(EngineState::new(Scope::default()));
    Arc::new(Reader::start(shared, &KernelSettings::default()).unwrap())
}

#[test]
fn nobody_waits_for_a_reader_that_has_ended() {
    let reader = reader();
    let complete = reader.resync(Reason::Requested);
    assert!(complete.is_ok(), "{complete:?}");
    reader.end();
    let (sender, receiver) = channel();
    let asking = Arc::clone(&reader);
    std::thread::spawn(move || sender.send(asking.resync(Reason::Requested)));
    let answer = receiver.recv_timeout(TIMEOUT).unwrap();
    assert!(matches!(answer, Err(KernelError::NotRunning { .. })));
    assert_eq!(reader.wait_inline(None), None);
    reader.end();
}

#[test]
fn a_reader_that_panics_ends_the_engine_with_the_reason() {
    let reader = reader();
    reader.monitor.lock().fault = Some(Fault::Panic);
    let answer = reader.resync(Reason::Requested);
    assert!(matches!(answer, Err(KernelError::NotRunning { .. })));
    // A thread that waits for changes learns of it from the result.
    assert!(!reader.shared.wait_dirty(None));
    let failure = reader.shared.failure().unwrap();
    assert!(
        failure.contains("thread kernel-reader panicked: injected"),
        "{failure}"
    );
    assert_eq!(reader.wait_inline(None), Some(false));
    reader.end();
}

#[test]
fn an_inline_reader_that_panics_ends_the_engine_likewise() {
    let reader = reader();
    reader.monitor.lock().fault = Some(Fault::Panic);
    assert!(!reader.read_inline(Ok(false)));
    let failure = reader.shared.failure().unwrap();
    assert!(failure.contains("panicked: injected"), "{failure}");
    reader.end();
}

#[test]
fn a_reader_that_hangs_is_seen_to_have_work() {
    let reader = reader();
    let rest = still(|| reader.liveness(), false);
    let (end, hangs) = bounded(0);
    reader.monitor.lock().fault = Some(Fault::Hang(hangs));
    let asking = Arc::clone(&reader);
    let asked = std::thread::spawn(move || asking.resync(Reason::Requested));
    let hung = still(|| reader.liveness(), true);
    // Neither a liveness nor an inline reader blocks on it.
    assert!(!reader.read_inline(Ok(true)));
    assert_eq!(reader.liveness(), hung);
    drop(end);
    asked.join().unwrap().unwrap();
    assert!(still(|| reader.liveness(), false).beats > rest.beats);
    assert!(
        reader.shared.heartbeat() > 0,
        "a resync that is waited for is seen to get on"
    );
    reader.end();
    assert!(!reader.liveness().has_work);
}

#[test]
fn an_inline_reader_that_hangs_is_seen_too() {
    let reader = reader();
    let (end, hangs) = bounded(0);
    reader.monitor.lock().fault = Some(Fault::Hang(hangs));
    let asking = Arc::clone(&reader);
    let inline_poller = std::thread::spawn(move || asking.read_inline(Ok(false)));
    let hung = still(|| reader.liveness(), true);
    assert_eq!(reader.liveness(), hung);
    drop(end);
    inline_poller.join().unwrap();
    still(|| reader.liveness(), false);
    reader.end();
}

#[test]
fn a_transient_error_of_the_kernel_does_not_end_the_reader() {
    let reader = reader();
    for errno in [
        libc::ENOMEM,
        libc::EINTR,
        libc::ENOBUFS,
        libc::EIO,
        libc::ENOMEM,
    ] {
        reader.monitor.lock().errors.push(errno);
        let complete = reader.resync(Reason::Requested);
        assert!(complete.is_ok(), "{complete:?}");
        let left = reader.monitor.lock().errors.len();
        assert_eq!((left, reader.shared.failure()), (0, None), "{errno}");
    }
    assert!(reader.read_inline(Ok(false)));
    reader.monitor.lock().errors.push(libc::ENOMEM);
    // The thread handles it.
    assert!(!reader.read_inline(Ok(false)));
    assert_eq!(reader.shared.failure(), None);
    reader.monitor.lock().errors.push(libc::EBADF);
    let answer = reader.resync(Reason::Requested);
    assert!(matches!(answer, Err(KernelError::NotRunning { .. })));
    assert!(reader.shared.failure().is_some());
}

#[test]
fn an_inline_wait_has_a_deadline() {
    let reader = reader();
    let began = Instant::now();
    let soon = began + Duration::from_millis(5);
    while reader.wait_inline(Some(soon)).is_some() || Instant::now() < soon {
        assert!(began.elapsed() < TIMEOUT);
    }
    reader.shared.close();
    assert_eq!(reader.wait_inline(None), Some(false));
}
