//! How a simulator begins.

use std::path::PathBuf;
use std::time::Duration;

/// How a simulator begins, and begins again after a restart.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens, as VPP does on its API socket.
    pub socket: PathBuf,
    /// Where it takes orders, one JSON object a line.
    pub control_socket: Option<PathBuf>,
    /// Names of its interfaces beside `local0`, which has `sw_if_index` 0.
    pub interfaces: Vec<String>,
    /// linux-cp pairs: VPP interface and Linux interface.
    pub pairs: Vec<(String, String)>,
    /// How long a client may be silent before it is sent a `memclnt_keepalive`; none: never.
    pub keepalive: Option<Duration>,
}

impl Settings {
    /// Two loopbacks, as the recorded VPP had, and nothing else.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            control_socket: None,
            interfaces: vec!["loop0".into(), "loop1".into()],
            pairs: Vec::new(),
            keepalive: None,
        }
    }
}
