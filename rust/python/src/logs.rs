//! Log records of the Rust side, for Python's `logging`.
//!
//! Records are queued, and a Python thread fetches them: a Rust thread that took the interpreter's
//! lock to log while it holds the table's lock would deadlock with a Python thread that waits for
//! the table.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use log::kv::{Error, Key, Value, VisitSource, VisitValue};
use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Maximum number of queued records; further ones are counted and dropped.
const QUEUE: usize = 1024;

/// Level in Python's numbers, target, message, fields.
type LogRecord = (u8, String, String, Fields);

/// The record's key-value pairs, as a Python dictionary.
#[derive(Default)]
pub(crate) struct Fields(Vec<(String, FieldValue)>);

#[derive(IntoPyObject)]
pub(crate) enum FieldValue {
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
}

impl<'py> IntoPyObject<'py> for Fields {
    type Target = PyDict;
    type Output = Bound<'py, PyDict>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let dict = PyDict::new(py);
        for (key, value) in self.0 {
            dict.set_item(key, value)?;
        }
        Ok(dict)
    }
}

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let mut scalar = Scalar(None);
        value.visit(&mut scalar)?;
        let field = scalar
            .0
            .unwrap_or_else(|| FieldValue::Text(value.to_string()));
        self.0.push((key.to_string(), field));
        Ok(())
    }
}

/// A number or a boolean; none for any other value.
struct Scalar(Option<FieldValue>);

impl<'v> VisitValue<'v> for Scalar {
    fn visit_any(&mut self, _: Value<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), Error> {
        self.0 = Some(FieldValue::Unsigned(value));
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), Error> {
        self.0 = Some(FieldValue::Signed(value));
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), Error> {
        self.0 = Some(FieldValue::Float(value));
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), Error> {
        self.0 = Some(FieldValue::Bool(value));
        Ok(())
    }
}

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
        let mut fields = Fields::default();
        // Fails only where a value's own `Display` does; the message is complete without it.
        let _ = record.key_values().visit(&mut fields);
        let message = record.args().to_string();
        let entry = (number(record.level()), target, message, fields);
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

/// Queues records of at least this level (Python's number) for [`next_log_record`].
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

/// The next record: level, logger's name, message, fields by name. Waits for one if `wait`.
#[pyfunction]
pub(crate) fn next_log_record(py: Python<'_>, wait: bool) -> Option<LogRecord> {
    let queue = LOGS.get()?;
    let lost = queue.lost.swap(0, Ordering::Relaxed);
    if lost > 0 {
        let message = format!("{lost} messages were dropped: the log queue is full");
        let fields = Fields(vec![
            (
                "event".to_owned(),
                FieldValue::Text("messages lost".to_owned()),
            ),
            ("lost".to_owned(), FieldValue::Unsigned(lost)),
        ]);
        let level = number(Level::Warn);
        return Some((level, "bgpreflector".to_owned(), message, fields));
    }
    if wait {
        py.detach(|| queue.receiver.recv()).ok()
    } else {
        queue.receiver.try_recv().ok()
    }
}
