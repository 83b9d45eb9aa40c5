//! Answers a socket's requests in place of the kernel.

use std::os::unix::net::UnixDatagram;
use std::thread;

use bgpreflector_core::netlink::Header;
use bgpreflector_core::netlink::constants::NLMSG_DONE;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};

use super::socket::RouteSocket;

const BUFFER: usize = 64 * 1024;
const HEADER: usize = 16;

/// A socket on which `answer` answers each request with a datagram, until it is closed.
pub(super) fn fake_kernel(
    mut answer: impl FnMut(&Header, &[u8]) -> Vec<u8> + Send + 'static,
) -> RouteSocket {
    let kind = SockType::SeqPacket;
    let (ours, theirs) =
        socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC).unwrap();
    let ours = UnixDatagram::from(ours);
    ours.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        use std::os::fd::AsRawFd;
        let mut buffer = vec![0; BUFFER];
        while let Ok(length @ 1..) = recv(theirs.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            let mut rest = &buffer[..length];
            while rest.len() >= HEADER {
                let (request, behind) = rest.split_at(number(&rest[..4]) as usize);
                let header = Header {
                    kind: u16::from_ne_bytes([request[4], request[5]]),
                    flags: u16::from_ne_bytes([request[6], request[7]]),
                    sequence: number(&request[8..12]),
                    port: number(&request[12..16]),
                };
                let answered = answer(&header, &request[HEADER..]);
                if !answered.is_empty() {
                    let _ = send(theirs.as_raw_fd(), &answered, MsgFlags::empty());
                }
                rest = behind;
            }
        }
    });
    RouteSocket::of(ours.into())
}

fn number(four: &[u8]) -> u32 {
    u32::from_ne_bytes(four.try_into().unwrap())
}

/// A message that answers a request.
pub(super) fn message(to: &Header, kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + payload.len()).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(to.sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The end of a dump.
pub(super) fn done(to: &Header) -> Vec<u8> {
    message(to, NLMSG_DONE, 0, &[0; 4])
}

/// An attribute.
pub(super) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap();
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
