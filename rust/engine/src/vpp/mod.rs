//! The bulk connection to VPP.

mod adopt;
mod audit;
mod bulk;
mod commit;
mod connect;
mod lost;
mod table_dump;
mod worker;

pub use audit::{AuditSettings, VppAudit};
pub use bulk::{Adopted, BulkConnection, BulkSettings, CommitReport, Failure};
