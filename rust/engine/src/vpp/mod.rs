//! The bulk connection to VPP.

mod bulk;
mod connect;
mod connection;
mod control;
mod disconnected;
mod driver;
mod ids;
mod keepalive;
mod operation;
mod ops;
mod rate_limit;
mod rx_coalesce;

pub use bulk::{Adopted, BulkConnection, BulkSettings, CommitReport, Failure};
pub use ops::audit::{AuditSettings, VppAudit};
pub use ops::flush::{FlushSettings, Flushed, FlushedTable};
pub use ops::overridden::Overridden;
