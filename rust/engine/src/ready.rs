//! Waiting until a descriptor is ready.

use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollTimeout, poll};

/// Waits until one of them is ready or a signal comes, `longest` at most, or for ever.
pub(crate) fn wait_ready(waited: &mut [PollFd<'_>], longest: Option<Duration>) -> io::Result<()> {
    match poll(waited, longest.map_or(PollTimeout::NONE, timeout)) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Rounded up: woken too early, one would only wait once more.
fn timeout(longest: Duration) -> PollTimeout {
    if longest.is_zero() {
        return PollTimeout::ZERO;
    }
    PollTimeout::try_from(longest.as_millis().saturating_add(1)).unwrap_or(PollTimeout::MAX)
}
