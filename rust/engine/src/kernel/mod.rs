//! Reading the kernel: sockets, the dump, and the thread that follows the notifications.

mod ask;
mod dump;
mod dump_pass;
mod expiry;
#[cfg(test)]
mod fake_kernel;
mod follow;
mod follower;
mod judge;
mod lookout;
mod lookup;
mod namespace;
mod plan;
mod presence;
mod read_ahead;
mod reader;
mod resync;
mod rush;
mod socket;
mod sysctl;
mod unseen;
mod wake;

pub(crate) use follow::{earlier, object as next_hop_object};
pub use judge::{Answer, ask_for_prefixes, is_covered};
pub use lookup::{Found, lookup};
pub use plan::Reason;
pub use reader::{KernelSettings, Reader, ResyncReport};
pub(crate) use socket::in_namespace;
pub use sysctl::sysctl;
pub(crate) use wake::Wake;
