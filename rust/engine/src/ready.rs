//! Waiting until a descriptor is ready.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

/// How long to let the kernel find memory again.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// Waits until one of them is ready or a signal comes, `longest` at most, or for ever. Where the kernel
/// has no memory for it, it waits for a moment: who wakes too early only waits again.
pub(crate) fn wait_ready(waited: &mut [PollFd<'_>], longest: Option<Duration>) -> io::Result<()> {
    match ppoll(waited, longest.map(TimeSpec::from_duration), None) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(Errno::ENOMEM | Errno::EAGAIN) => {
            std::thread::sleep(longest.map_or(ERROR_PAUSE, |longest| longest.min(ERROR_PAUSE)));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether there is something to read now.
pub(crate) fn has_something_to_read(from: &impl AsFd) -> bool {
    let mut waited = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
    let ready = ppoll(
        &mut waited,
        Some(TimeSpec::from_duration(Duration::ZERO)),
        None,
    );
    ready.is_ok_and(|count| count > 0)
}

/// Waits until there is something to read, in the same way.
pub(crate) fn wait_readable(waited: &impl AsFd, longest: Option<Duration>) -> io::Result<()> {
    wait_ready(
        &mut [PollFd::new(waited.as_fd(), PollFlags::POLLIN)],
        longest,
    )
}
