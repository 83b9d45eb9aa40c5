//! Log records of the Rust side, for Python's `logging`.
//!
//! Records are queued, and a Python thread fetches them: a Rust thread that took the interpreter's
//! lock to log while it holds the table's lock would deadlock with a Python thread that waits for
//! the table.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::prelude::*;

/// Maximum number of queued records; further ones are counted and dropped.
const QUEUE: usize = 1024;

/// Level in Python's numbers, target, message.
type LogRecord = (u8, String, String);

struct Queue {
    sender: Sender<LogRecord>,
    receiver: Receiver<LogRecord>,
    lost: AtomicU64,
}

static LOGS: OnceLock<Queue> = OnceLock::new();

impl Log for Queue {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let target = record.target().replace("::", ".");
        let entry = (number(record.level()), target, record.args().to_string());
        if self.sender.try_send(entry).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

/// Python's number of a level (`logging.DEBUG` and so on).
fn number(level: Level) -> u8 {
    match level {
        Level::Error => 40,
        Level::Warn => 30,
        Level::Info => 20,
        Level::Debug | Level::Trace => 10,
    }
}

/// Queues records of at least this level (Python's number) for [`next_log`].
#[pyfunction]
pub(crate) fn init_logging(level: u8) {
    let queue = LOGS.get_or_init(|| {
        let (sender, receiver) = bounded(QUEUE);
        let lost = AtomicU64::new(0);
        Queue {
            sender,
            receiver,
            lost,
        }
    });
    // Fails only on later calls: nothing else in this module sets a logger.
    let _ = log::set_logger(queue);
    log::set_max_level(match level {
        0..=10 => LevelFilter::Debug,
        11..=20 => LevelFilter::Info,
        21..=30 => LevelFilter::Warn,
        _ => LevelFilter::Error,
    });
}

/// The next record: level, logger's name, message. Waits for one if `wait`.
#[pyfunction]
pub(crate) fn next_log(py: Python<'_>, wait: bool) -> Option<LogRecord> {
    let queue = LOGS.get()?;
    let lost = queue.lost.swap(0, Ordering::Relaxed);
    if lost > 0 {
        let message = format!("{lost} messages were dropped: the log queue is full");
        return Some((number(Level::Warn), "bgpreflector".to_owned(), message));
    }
    if wait {
        py.detach(|| queue.receiver.recv()).ok()
    } else {
        queue.receiver.try_recv().ok()
    }
}
