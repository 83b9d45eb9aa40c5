//! The bulk connection to VPP.

mod adopt;
mod bulk;
mod commit;
mod connect;
mod lost;
mod silence;
mod worker;

pub use bulk::{Adopted, BulkConnection, BulkSettings, CommitReport, Failure};
