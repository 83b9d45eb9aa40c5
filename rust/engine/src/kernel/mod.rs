//! Reading the kernel: sockets, the dump, and the thread that follows the notifications.

mod dump;
mod dump_pass;
mod expiry;
#[cfg(test)]
mod fake_kernel;
mod follow;
mod follower;
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

pub use lookup::{Found, lookup};
pub use plan::Reason;
pub use reader::{KernelSettings, Reader, ResyncReport};
pub use sysctl::sysctl;
pub(crate) use wake::Wake;
