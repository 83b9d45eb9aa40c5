//! Waiting until a descriptor is ready.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

/// Waits until one of them is ready or a signal comes, `longest` at most, or for ever.
pub(crate) fn wait_ready(waited: &mut [PollFd<'_>], longest: Option<Duration>) -> io::Result<()> {
    match ppoll(waited, longest.map(TimeSpec::from_duration), None) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits until there is something to read, in the same way.
pub(crate) fn wait_readable(waited: &impl AsFd, longest: Option<Duration>) -> io::Result<()> {
    wait_ready(
        &mut [PollFd::new(waited.as_fd(), PollFlags::POLLIN)],
        longest,
    )
}
