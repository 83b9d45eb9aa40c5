//! Wakes a thread out of `poll` (eventfd).

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
        // It can only fail where the counter is full: it is readable then.
        let _ = self.0.write(1);
    }

    pub(crate) fn reset(&self) {
        // It can only fail where nothing has woken it.
        let _ = self.0.read();
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
