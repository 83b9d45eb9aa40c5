//! Frames that a real VPP 26.10 and its own Python client exchanged.

use std::path::Path;

use serde_json::Value;

use crate::netlink::support::captures::from_hex;

/// The direction of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to VPP.
    Request,
    /// From VPP to the client.
    Reply,
}

/// One recorded frame.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What was being asked.
    pub step: String,
    /// The frame's direction.
    pub direction: Direction,
    /// The frame, including the socket header. VPP's headers contain leftovers of its memory around
    /// the length, so its frames are compared from the message on.
    pub frame: Vec<u8>,
}

impl Recorded {
    /// The message in the frame.
    pub fn message(&self) -> &[u8] {
        &self.frame[16..]
    }

    /// The message's id.
    pub fn id(&self) -> u16 {
        u16::from_be_bytes([self.frame[16], self.frame[17]])
    }
}

/// The frames of `tests/vectors/vpp/NAME.jsonl`, in the order they were exchanged.
pub fn load(name: &str) -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/vpp");
    let path = folder.join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Recorded {
    let row: Value = serde_json::from_str(line).unwrap();
    let text = |key: &str| row[key].as_str().unwrap().to_owned();
    Recorded {
        step: text("step"),
        direction: match text("direction").as_str() {
            "request" => Direction::Request,
            "reply" => Direction::Reply,
            other => panic!("direction {other}"),
        },
        frame: from_hex(&text("frame")),
    }
}
