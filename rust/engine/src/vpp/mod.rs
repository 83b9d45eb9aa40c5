//! The bulk connection to VPP.

mod bulk;
mod connect;
mod connection;
mod control;
mod disconnected;
mod driver;
mod encoder;
mod ids;
mod keepalive;
mod operation;
mod ops;
mod rate_limit;
mod rx_coalesce;
mod types;

pub use bulk::BulkConnection;
pub use ops::audit::{AuditSettings, VppAudit};
pub use ops::flush::{FlushSettings, Flushed, FlushedTable};
pub use ops::overridden::Overridden;
pub use types::{Adopted, BulkSettings, CommitReport, Failure};
