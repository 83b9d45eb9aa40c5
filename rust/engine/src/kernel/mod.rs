//! Reading the kernel: sockets, the dump, and the thread that follows the notifications.

mod apply;
mod coalesce;
mod dump;
mod dump_pass;
mod expiry;
#[cfg(test)]
mod fake_kernel;
mod lookup;
mod lookup_requests;
mod monitor;
mod namespace;
mod notification_socket;
mod notifications;
mod poller;
mod prefix_lookups;
mod presence;
mod read_ahead;
mod reader;
mod resync;
mod schedule;
mod settings;
mod socket;
mod sysctl;
mod unseen;

pub(crate) use apply::{label_route, object as next_hop_object};
pub use lookup::{LookupResult, lookup};
pub use prefix_lookups::{PrefixLookup, is_covered, look_up_prefixes};
pub use reader::Reader;
pub use schedule::Reason;
pub use settings::{KernelSettings, ResyncReport};
pub(crate) use socket::in_namespace;
pub use sysctl::sysctl;
