//! The bulk connection to VPP.

mod adopt;
mod bulk;
mod commit;
mod connect;
mod ids;
mod lost;
mod orders;
mod pace;
mod silence;
mod worker;

pub use bulk::{Adopted, BulkConnection, BulkSettings, CommitReport, Failure};
