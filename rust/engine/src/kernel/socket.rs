//! Route netlink sockets.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, getsockopt,
    recvfrom, send, setsockopt, socket, sockopt,
};

use crate::counters::KernelCounters;
use crate::error::KernelError;
use crate::panics;
use crate::ready::wait_readable;

/// Maximum number of datagrams per `recvmmsg`.
const MAX_DATAGRAMS: usize = 64;
/// Maximum length of a notification: an attribute, such as `RTA_MULTIPATH`, has at most 64 KiB.
/// Memory beyond the longest notification so far is never touched.
const MAX_DATAGRAM: usize = 66 * 1024;

const SENDER_LENGTH: libc::socklen_t = size_of::<libc::sockaddr_nl>() as libc::socklen_t;

/// `linux/sock_diag.h`: the number of values in `SO_MEMINFO`, and the index of the drop count.
const SK_MEMINFO_VARS: usize = 9;
const SK_MEMINFO_DROPS: usize = 8;

/// A `NETLINK_ROUTE` socket.
pub(super) struct RouteSocket {
    fd: OwnedFd,
    /// Messages ignored because they are not from the kernel, since the last count.
    not_from_kernel: AtomicU64,
}

impl RouteSocket {
    /// Opens a socket that is a member of the multicast groups in the bit mask `groups`.
    pub(super) fn open(groups: u32) -> Result<Self, KernelError> {
        let failed = |step| {
            move |error: nix::Error| KernelError::Socket {
                step,
                source: error.into(),
            }
        };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let protocol = SockProtocol::NetlinkRoute;
        let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)
            .map_err(failed("socket"))?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups)).map_err(failed("bind"))?;
        Ok(Self {
            fd,
            not_from_kernel: AtomicU64::new(0),
        })
    }

    /// Uses a socket that the test has made.
    #[cfg(test)]
    pub(super) fn of(fd: OwnedFd) -> Self {
        Self {
            fd,
            not_from_kernel: AtomicU64::new(0),
        }
    }

    /// Requests a receive buffer of `bytes`; returns what the kernel granted. More than
    /// `net.core.rmem_max` requires `CAP_NET_ADMIN`.
    pub(super) fn set_receive_buffer(&self, bytes: usize) -> Result<usize, KernelError> {
        if setsockopt(&self.fd, sockopt::RcvBufForce, &bytes).is_err() {
            setsockopt(&self.fd, sockopt::RcvBuf, &bytes).map_err(|error| KernelError::Socket {
                step: "SO_RCVBUF",
                source: error.into(),
            })?;
        }
        getsockopt(&self.fd, sockopt::RcvBuf).map_err(|error| KernelError::Socket {
            step: "SO_RCVBUF",
            source: error.into(),
        })
    }

    /// Makes the kernel apply the filters in dump requests (`NETLINK_GET_STRICT_CHK`).
    pub(super) fn check_strictly(&self) -> Result<(), KernelError> {
        let on: libc::c_int = 1;
        let size = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(4);
        // SAFETY: `on` outlives the call, which reads `size` bytes of it and keeps no pointer.
        let result = unsafe {
            libc::setsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_NETLINK,
                libc::NETLINK_GET_STRICT_CHK,
                (&raw const on).cast(),
                size,
            )
        };
        if result == 0 {
            return Ok(());
        }
        let source = io::Error::last_os_error();
        Err(KernelError::Socket {
            step: "NETLINK_GET_STRICT_CHK",
            source,
        })
    }

    /// Notifications that the kernel has dropped on this socket: the column `Drops` of
    /// `/proc/net/netlink` (`SO_MEMINFO`, `linux/sock_diag.h`).
    pub(super) fn drops(&self) -> io::Result<u32> {
        let mut values = [0_u32; SK_MEMINFO_VARS];
        let mut size = libc::socklen_t::try_from(size_of_val(&values)).unwrap_or(0);
        // SAFETY: `values` has room for `size` bytes, both outlive the call, and the kernel
        // writes at most that many bytes, of numbers, for which all bits are valid.
        let result = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MEMINFO,
                values.as_mut_ptr().cast(),
                &raw mut size,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(values.get(SK_MEMINFO_DROPS).copied().unwrap_or(0))
    }

    /// Adds the messages that were ignored since the last call to the counters.
    pub(super) fn count_senders(&self, counters: &KernelCounters) {
        let more = self.not_from_kernel.swap(0, Ordering::Relaxed);
        counters.not_from_kernel.fetch_add(more, Ordering::Relaxed);
    }

    /// Reports a message from another process (which needs `CAP_NET_ADMIN`): it is ignored.
    fn not_the_kernel(&self, port: u32) {
        // A process may send a million of them.
        let level = match self.not_from_kernel.fetch_add(1, Ordering::Relaxed) {
            0 => log::Level::Warn,
            _ => log::Level::Debug,
        };
        log::log!(
            level,
            event = "message not from the kernel", port;
            "ignored a netlink message from port {port}, which is not the kernel"
        );
    }

    pub(super) fn send(&self, request: &[u8]) -> io::Result<()> {
        send(self.fd.as_raw_fd(), request, MsgFlags::empty())?;
        Ok(())
    }

    /// One datagram from the kernel; `WouldBlock` if there is none.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let (length, sender) = recvfrom::<NetlinkAddr>(self.fd.as_raw_fd(), buffer)?;
            match sender.map_or(0, |sender| sender.pid()) {
                0 => return Ok(length),
                sender => self.not_the_kernel(sender),
            }
        }
    }

    /// The next datagram from the kernel; waits up to `longest`.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] if none arrives.
    pub(super) fn await_one(&self, buffer: &mut [u8], longest: Duration) -> io::Result<usize> {
        let deadline = Instant::now() + longest;
        loop {
            match self.receive(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    wait_readable(self, Some(left))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => return received,
            }
        }
    }

    /// All pending datagrams, at most [`MAX_DATAGRAMS`]; `WouldBlock` if there is none.
    pub(super) fn receive_many(&self, into: &mut Datagrams) -> io::Result<()> {
        into.lengths.clear();
        let mut vectors: Vec<libc::iovec> = into
            .buffer
            .chunks_exact_mut(MAX_DATAGRAM)
            .map(|chunk| libc::iovec {
                iov_base: chunk.as_mut_ptr().cast(),
                iov_len: MAX_DATAGRAM,
            })
            .collect();
        // SAFETY: all of sockaddr_nl's fields are numbers, for which zero is valid.
        let mut senders: Vec<libc::sockaddr_nl> =
            vec![unsafe { std::mem::zeroed() }; MAX_DATAGRAMS];
        let mut headers: Vec<libc::mmsghdr> = vectors
            .iter_mut()
            .zip(&mut senders)
            .map(|(vector, sender)| {
                // SAFETY: all of msghdr's fields are numbers and pointers, for which zero is valid.
                let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
                header.msg_hdr.msg_iov = vector;
                header.msg_hdr.msg_iovlen = 1;
                header.msg_hdr.msg_name = (&raw mut *sender).cast();
                header.msg_hdr.msg_namelen = SENDER_LENGTH;
                header
            })
            .collect();
        let count = libc::c_uint::try_from(headers.len()).unwrap_or(0);
        // SAFETY: `headers` holds `count` entries, each with one vector in `vectors` that spans
        // MAX_DATAGRAM bytes of `into.buffer`, and one address in `senders` of SENDER_LENGTH bytes; all four live
        // beyond the call and are not moved.
        let received = unsafe {
            libc::recvmmsg(
                self.fd.as_raw_fd(),
                headers.as_mut_ptr(),
                count,
                // The socket does not block anyway, and the constant's type differs between glibc
                // and musl.
                0,
                std::ptr::null_mut(),
            )
        };
        let Ok(received) = usize::try_from(received) else {
            return Err(io::Error::last_os_error());
        };
        for (header, sender) in headers.iter().zip(&senders).take(received) {
            if sender.nl_pid == 0 {
                let truncated = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
                into.lengths.push((header.msg_len as usize, truncated));
            } else {
                self.not_the_kernel(sender.nl_pid);
                into.lengths.push((0, false));
            }
        }
        Ok(())
    }
}

impl AsFd for RouteSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Datagrams received together.
pub(super) struct Datagrams {
    buffer: Vec<u8>,
    lengths: Vec<(usize, bool)>,
}

impl Datagrams {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; MAX_DATAGRAMS * MAX_DATAGRAM],
            lengths: Vec::with_capacity(MAX_DATAGRAMS),
        }
    }

    /// The datagrams; none in place of one that was truncated.
    pub(super) fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let datagram = |(chunk, (length, truncated)): (_, &(usize, bool))| {
            let chunk: &[u8] = chunk;
            chunk.get(..*length).filter(|_| !truncated)
        };
        self.buffer
            .chunks_exact(MAX_DATAGRAM)
            .zip(&self.lengths)
            .map(datagram)
    }
}

/// Runs `make` on a thread in the namespace at `path`, or this process's: a socket belongs to the
/// namespace of the thread that made it.
pub(crate) fn in_namespace<T: Send>(
    path: Option<&Path>,
    make: impl FnOnce() -> Result<T, KernelError> + Send,
) -> Result<T, KernelError> {
    let Some(path) = path else { return make() };
    let failed = |source: io::Error| KernelError::Namespace {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let enter = move || {
        setns(file, CloneFlags::CLONE_NEWNET).map_err(|error| failed(error.into()))?;
        make()
    };
    std::thread::scope(|scope| {
        let guarded = move || panics::guarded(enter);
        let named = std::thread::Builder::new().name("in-namespace".into());
        // Thread creation can fail for lack of resources; the caller may retry.
        let thread = named.spawn_scoped(scope, guarded);
        let thread = thread.map_err(|source| KernelError::Socket {
            step: "thread",
            source,
        })?;
        let result = thread.join().unwrap_or_else(|_| Err("no result".into()));
        result.unwrap_or_else(|reason| Err(failed(io::Error::other(reason))))
    })
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::{getsockname, sendto};

    use super::*;

    #[test]
    fn what_another_process_sends_is_left_out() {
        let socket = RouteSocket::open(0).unwrap();
        let address: NetlinkAddr = getsockname(socket.fd.as_raw_fd()).unwrap();
        let other = RouteSocket::open(0).unwrap();
        let send = || sendto(other.fd.as_raw_fd(), &[0; 32], &address, MsgFlags::empty());
        if send() == Err(nix::errno::Errno::EPERM) {
            // Without CAP_NET_ADMIN the kernel refuses to send.
            return;
        }
        let counters = KernelCounters::default();
        let count = || {
            socket.count_senders(&counters);
            counters.not_from_kernel.load(Ordering::Relaxed)
        };
        let mut datagrams = Datagrams::new();
        socket.receive_many(&mut datagrams).unwrap();
        let all: Vec<Option<&[u8]>> = datagrams.iter().collect();
        assert_eq!(all, [Some(&[][..])]);
        assert_eq!(count(), 1);
        send().unwrap();
        let nothing = socket.receive(&mut [0; 64]).map_err(|error| error.kind());
        assert_eq!(nothing, Err(io::ErrorKind::WouldBlock));
        assert_eq!(count(), 2);
        // Messages of the kernel are accepted.
        socket
            .send(&bgpreflector_core::netlink::link_dump(1))
            .unwrap();
        assert!(socket.receive(&mut [0; 65_536]).unwrap() > 0);
        assert_eq!(count(), 2);
    }
}
