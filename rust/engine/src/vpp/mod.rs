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
pub use ops::audit::{AuditSettings, VppAuditReport};
pub use ops::flush::{FlushReport, FlushSettings, FlushedTable};
pub use ops::overridden::Overridden;
pub use types::{AdoptReport, BulkSettings, CommitReport, Failure};
