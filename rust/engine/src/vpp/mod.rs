//! The bulk connection to VPP.

mod adopt;
mod audit;
mod bulk;
mod commit;
mod connect;
mod desk;
mod flush;
mod gather;
mod ids;
mod lost;
mod orders;
mod overridden;
mod pace;
mod silence;
mod table_dump;
mod work;
mod worker;

pub use audit::{AuditSettings, VppAudit};
pub use bulk::{Adopted, BulkConnection, BulkSettings, CommitReport, Failure};
pub use flush::{FlushSettings, Flushed, FlushedTable};
pub use overridden::Overridden;
