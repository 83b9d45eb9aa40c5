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
