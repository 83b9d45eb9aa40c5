//! Sockets and threads: the kernel reader, the listener for zebra and the bulk connection to VPP,
//! around one table.
//!
//! They share the [`Table`](bgpreflector_core::table::Table) behind one lock. The kernel reader
//! applies each notification at once and never waits for VPP, as does the listener, where zebra is
//! the source, with its messages; the bulk connection takes dirty prefixes, sends a limited number
//! of requests at a time and records the answers. A thread that waits for changes does the reader's
//! work inline, and one that submits a commit the connection's, while those are idle.

mod batch;
mod batch_timer;
mod counters;
mod deadline;
mod engine;
mod error;
pub mod fpm;
mod heartbeat;
mod history;
pub mod kernel;
mod latency;
mod lookup_check;
mod panics;
mod programming;
mod ready;
mod requests;
mod state;
mod status;
pub mod vpp;
mod waker;

pub use batch::Batch;
pub use counters::{KernelCounters, VppCounters};
pub use engine::{Engine, Settings};
pub use error::{KernelError, VppError};
pub use heartbeat::Liveness;
pub use history::{BatchChange, RecentChange};
pub use latency::{BOUNDS, Latency};
pub use lookup_check::{LookupCheck, Verdict};
pub use requests::Requests;
pub use state::{EngineState, TableGuard};
pub use status::Status;
