//! Connecting to VPP's API socket and the handshake.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use bgpreflector_core::vpp::{FrameReader, MessageTable, SockclntCreate, SockclntCreateReply};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};

use crate::error::VppError;

/// A connection with a client index from VPP.
pub(super) struct Session {
    pub(super) stream: UnixStream,
    pub(super) reader: FrameReader,
    pub(super) client_index: u32,
    pub(super) messages: MessageTable,
}

pub(super) fn open_session(
    path: &Path,
    name: &str,
    timeout: Duration,
) -> Result<Session, VppError> {
    let stream = open(path, timeout).map_err(|error| refused(path, &error))?;
    let failed = |error: io::Error| VppError::Handshake(error.to_string());
    stream.set_read_timeout(Some(timeout)).map_err(failed)?;
    let mut out = Vec::new();
    let create = SockclntCreate {
        context: 0,
        name: name.into(),
    };
    create
        .encode(&mut out)
        .map_err(|error| VppError::Handshake(error.to_string()))?;
    (&stream).write_all(&out).map_err(failed)?;
    let mut reader = FrameReader::default();
    let created = answer(&stream, &mut reader, timeout)?;
    stream.set_nonblocking(true).map_err(failed)?;
    if created.response < 0 {
        return Err(VppError::Handshake(format!(
            "VPP refused the session ({})",
            created.response
        )));
    }
    Ok(Session {
        stream,
        reader,
        client_index: created.index,
        messages: created.table,
    })
}

/// A connected socket whose writes have the timeout. Connecting has it, too: the kernel waits for room
/// among the connections that a server has not accepted yet (`unix_stream_connect`).
fn open(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let socket = socket(
        AddressFamily::Unix,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    let stream = UnixStream::from(socket);
    stream.set_write_timeout(Some(timeout))?;
    connect(stream.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(stream)
}

fn answer(
    mut stream: &UnixStream,
    reader: &mut FrameReader,
    timeout: Duration,
) -> Result<SockclntCreateReply, VppError> {
    let handshake = |text: String| VppError::Handshake(text);
    let deadline = Instant::now() + timeout;
    loop {
        match reader.next_message() {
            Ok(Some(message)) => {
                let created = SockclntCreateReply::decode(message);
                return created.map_err(|error| handshake(error.to_string()));
            }
            Ok(None) => {}
            Err(error) => return Err(handshake(error.to_string())),
        }
        if Instant::now() >= deadline {
            return Err(handshake(format!(
                "no answer within {} s",
                timeout.as_secs_f32()
            )));
        }
        match stream.read(reader.spare()) {
            Ok(0) => return Err(handshake("the other side closed the connection".into())),
            Ok(count) => reader.advance(count),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(handshake(format!(
                    "no answer within {} s",
                    timeout.as_secs_f32()
                )));
            }
            Err(error) => return Err(handshake(error.to_string())),
        }
    }
}

fn refused(path: &Path, error: &io::Error) -> VppError {
    let hint = match error.kind() {
        ErrorKind::NotFound => {
            "there is no such socket: is VPP running, and is `socksvr { socket-name … }` in its \
             startup configuration the same path?"
        }
        ErrorKind::PermissionDenied => {
            "this user may not use it: run as a member of the socket's group (often `vpp`)"
        }
        ErrorKind::ConnectionRefused => "nobody listens on it: is VPP running?",
        ErrorKind::WouldBlock => "VPP accepts no connection: does it hang?",
        _ => "check that the path names VPP's API socket",
    };
    VppError::Connect {
        path: path.to_owned(),
        reason: error.to_string(),
        hint,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::thread;

    use nix::sys::socket::{Backlog, bind, listen};

    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(50);

    /// Why the connection fails to somebody who answers the request with this, and then stays or
    /// hangs up.
    fn failure(name: &str, answer: &'static [u8], stays: bool, timeout: Duration) -> String {
        let path = std::env::temp_dir().join(format!("bgpr-{name}-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let other = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).unwrap() > 0);
            // After a short timeout nobody may be there any more.
            drop(stream.write_all(answer));
            while stays && stream.read(&mut request).is_ok_and(|count| count > 0) {}
        });
        let failed = open_session(&path, "test", timeout).err();
        other.join().unwrap();
        std::fs::remove_file(&path).unwrap();
        failed.unwrap().to_string()
    }

    #[test]
    fn a_vpp_that_accepts_nothing_is_not_waited_for_without_end() {
        let path = std::env::temp_dir().join(format!("bgpr-full-{}", std::process::id()));
        let socket = socket(
            AddressFamily::Unix,
            SockType::Stream,
            SockFlag::empty(),
            None,
        )
        .unwrap();
        bind(socket.as_raw_fd(), &UnixAddr::new(&path).unwrap()).unwrap();
        listen(&socket, Backlog::new(0).unwrap()).unwrap();
        let _waits = UnixStream::connect(&path).unwrap();
        let failed = open_session(&path, "test", SHORT).err().unwrap();
        std::fs::remove_file(&path).unwrap();
        let text = failed.to_string();
        assert!(text.contains("VPP accepts no connection"), "{text}");
    }

    #[test]
    fn who_is_no_vpp_is_told_by_what_it_does() {
        let closed = failure("closed", b"", false, LONG);
        assert!(
            closed.ends_with("the other side closed the connection"),
            "{closed}"
        );
        let mute = failure("mute", b"", true, SHORT);
        assert!(mute.ends_with("no answer within 0.05 s"), "{mute}");
        let half = failure("half", &[0; 8], true, SHORT);
        assert!(half.ends_with("no answer within 0.05 s"), "{half}");
        let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        let other = failure("other", answer, true, LONG);
        assert!(
            other.starts_with("the handshake with VPP failed: "),
            "{other}"
        );
        assert!(!other.contains("no answer"), "{other}");
    }
}
