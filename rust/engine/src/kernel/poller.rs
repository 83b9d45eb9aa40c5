//! Waits for the kernel's notifications.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::ready::wait_readable;
use crate::waker::Waker;

const NOTIFICATIONS: u64 = 0;
const WAKER: u64 = 1;
const MOUNTS: u64 = 2;

/// What has become ready, apart from the waker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ready {
    /// The socket is readable.
    pub(super) notifications: bool,
    /// Something was mounted or unmounted.
    pub(super) mounts: bool,
}

/// Waits for a socket to become readable, for mounts, or for a waker.
///
/// Of several pollers on one socket the kernel wakes only one (`EPOLLEXCLUSIVE`): the oldest of
/// those with a waiting thread. The woken thread must read, or wake another.
pub(super) struct Poller {
    epoll: Epoll,
    waker: Arc<Waker>,
}

impl Poller {
    pub(super) fn new(socket: impl AsFd) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let waker = Arc::new(Waker::new()?);
        epoll.add(&*waker, EpollEvent::new(EpollFlags::EPOLLIN, WAKER))?;
        let made = Self { epoll, waker };
        made.watch(socket)?;
        Ok(made)
    }

    /// Polls this socket from now on, in place of one that has been closed.
    pub(super) fn watch(&self, socket: impl AsFd) -> io::Result<()> {
        let one = EpollFlags::EPOLLIN | EpollFlags::EPOLLEXCLUSIVE;
        Ok(self
            .epoll
            .add(socket, EpollEvent::new(one, NOTIFICATIONS))?)
    }

    /// Waits for mounts, too: `mounts` is an open `mountinfo` (`proc(5)`), which polls as an
    /// exception once after every mount and unmount in its mount namespace.
    pub(super) fn watch_mounts(&self, mounts: impl AsFd) -> io::Result<()> {
        let event = EpollEvent::new(EpollFlags::EPOLLPRI, MOUNTS);
        Ok(self.epoll.add(mounts, event)?)
    }

    pub(super) fn waker(&self) -> &Arc<Waker> {
        &self.waker
    }

    pub(super) fn wake(&self) {
        self.waker.wake();
    }

    /// Waits for data, mounts, the waker or a signal, at most `longest` or without limit. Resets the
    /// waker.
    pub(super) fn wait(&self, longest: Option<Duration>) -> io::Result<Ready> {
        let mut events = [EpollEvent::empty(); 3];
        let count = match self.epoll.wait(&mut events, timeout(longest)) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        let has = |what| events.iter().take(count).any(|event| event.data() == what);
        if has(WAKER) {
            self.waker.reset();
        }
        Ok(Ready {
            notifications: has(NOTIFICATIONS),
            mounts: has(MOUNTS),
        })
    }

    /// Waits for the waker only, without a reset.
    pub(super) fn wait_waker(&self, longest: Duration) -> io::Result<()> {
        wait_readable(&*self.waker, Some(longest))
    }
}

/// Whole milliseconds, rounded up: waking too early only repeats the wait.
fn timeout(longest: Option<Duration>) -> EpollTimeout {
    let Some(longest) = longest else {
        return EpollTimeout::NONE;
    };
    let milliseconds = longest.as_micros().div_ceil(1000);
    i32::try_from(milliseconds)
        .ok()
        .and_then(|milliseconds| EpollTimeout::try_from(milliseconds).ok())
        .unwrap_or(EpollTimeout::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::{Duration, Instant};

    use nix::unistd::gettid;

    use super::{Poller, Ready, timeout};

    const TIMEOUT: Duration = Duration::from_secs(20);

    /// The system calls in which a waiting thread may sleep.
    const EPOLL: &[libc::c_long] = &[
        libc::SYS_epoll_pwait,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait,
    ];

    /// Waits on a poller in a thread and calls `then` once it waits; returns the poller's result.
    fn waiting(poller: &Poller, then: impl FnOnce()) -> bool {
        thread::scope(|scope| {
            let (id, known) = channel();
            let waiter = scope.spawn(move || {
                id.send(gettid()).unwrap();
                poller.wait(Some(TIMEOUT)).unwrap().notifications
            });
            let state = format!("/proc/self/task/{}/syscall", known.recv().unwrap());
            let deadline = Instant::now() + TIMEOUT;
            let sleeps = |line: String| {
                let call = line.split(' ').next().and_then(|call| call.parse().ok());
                call.is_some_and(|call: libc::c_long| EPOLL.contains(&call))
            };
            while !std::fs::read_to_string(&state).is_ok_and(sleeps) {
                assert!(Instant::now() < deadline);
                thread::yield_now();
            }
            then();
            waiter.join().unwrap()
        })
    }

    #[test]
    fn of_two_who_wait_one_is_woken() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let (first, second) = (Poller::new(&theirs), Poller::new(&theirs));
        let (first, second) = (first.unwrap(), second.unwrap());
        let seen = waiting(&second, || {
            assert!(waiting(&first, || ours.write_all(b"x").unwrap()));
            second.wake();
        });
        assert!(!seen);
        // A thread that was not woken is woken when more arrives and the first poller is idle.
        assert!(waiting(&second, || ours.write_all(b"x").unwrap()));
    }

    #[test]
    fn a_waker_is_reset_once_it_was_read() {
        let (_ours, theirs) = UnixStream::pair().unwrap();
        let poller = Poller::new(&theirs).unwrap();
        poller.wake();
        poller.wait_waker(TIMEOUT).unwrap();
        for longest in [TIMEOUT, Duration::ZERO] {
            assert_eq!(poller.wait(Some(longest)).unwrap(), Ready::default());
        }
    }

    #[test]
    fn a_wait_is_never_shorter_than_asked_for() {
        let milliseconds = |micros| timeout(Some(Duration::from_micros(micros)));
        assert_eq!(milliseconds(0), timeout(Some(Duration::ZERO)));
        assert_eq!(milliseconds(1), milliseconds(1000));
        assert_ne!(milliseconds(1001), milliseconds(1000));
        assert_ne!(timeout(Some(Duration::MAX)), timeout(None));
    }
}
