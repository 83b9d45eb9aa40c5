//! Connecting to VPP's API socket and the handshake.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use bgpreflector_core::vpp::{FrameReader, MessageTable, SockclntCreate, SockclntCreateReply};

use crate::error::VppError;

/// A connection with a client index from VPP.
pub(super) struct Session {
    pub(super) stream: UnixStream,
    pub(super) reader: FrameReader,
    pub(super) client_index: u32,
    pub(super) messages: MessageTable,
}

pub(super) fn connect(path: &Path, name: &str, timeout: Duration) -> Result<Session, VppError> {
    let stream = UnixStream::connect(path).map_err(|error| refused(path, &error))?;
    let failed = |error: std::io::Error| VppError::Handshake(error.to_string());
    stream.set_read_timeout(Some(timeout)).map_err(failed)?;
    stream.set_write_timeout(Some(timeout)).map_err(failed)?;
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

fn refused(path: &Path, error: &std::io::Error) -> VppError {
    let hint = match error.kind() {
        ErrorKind::NotFound => {
            "there is no such socket: is VPP running, and is `socksvr { socket-name … }` in its \
             startup configuration the same path?"
        }
        ErrorKind::PermissionDenied => {
            "this user may not use it: run as a member of the socket's group (often `vpp`)"
        }
        ErrorKind::ConnectionRefused => "nobody listens on it: is VPP running?",
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
        let failed = connect(&path, "test", timeout).err();
        other.join().unwrap();
        std::fs::remove_file(&path).unwrap();
        failed.unwrap().to_string()
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
