//! Wakes a thread from `poll` (eventfd).

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::eventfd::{EfdFlags, EventFd};

/// An event counter: its descriptor is readable from [`Self::wake`] until [`Self::reset`].
pub(crate) struct Waker(EventFd);

impl Waker {
    pub(crate) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        Ok(Self(EventFd::from_value_and_flags(0, flags)?))
    }

    pub(crate) fn wake(&self) {
        // Fails only if the counter is full, and then it is readable anyway.
        let _ = self.0.write(1);
    }

    pub(crate) fn reset(&self) {
        // Fails only if it was not woken.
        let _ = self.0.read();
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
