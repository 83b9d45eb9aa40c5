//! The simulator's settings.

use std::path::PathBuf;
use std::time::Duration;

use crate::releases::Release;

/// The initial state, also after a restart.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The path of the API socket.
    pub socket: PathBuf,
    /// The path of the control socket, one JSON object a line.
    pub control_socket: Option<PathBuf>,
    /// Names of its interfaces besides `local0`, which has `sw_if_index` 0.
    pub interfaces: Vec<String>,
    /// linux-cp pairs: VPP interface and Linux interface, the latter optionally preceded by its
    /// network namespace and a slash.
    pub pairs: Vec<(String, String)>,
    /// Its plugins. With `linux_nl_plugin.so` it also has that plugin's FIB sources.
    pub plugins: Vec<String>,
    /// Silence of a client after which it is sent a `memclnt_keepalive`; none: never.
    pub keepalive: Option<Duration>,
    /// The release to simulate; none: one with all messages and no crashes.
    pub release: Option<Release>,
}

impl Settings {
    /// Two loopbacks and the linux-cp plugins, like the recorded VPP.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            control_socket: None,
            interfaces: vec!["loop0".into(), "loop1".into()],
            pairs: Vec::new(),
            plugins: vec!["linux_cp_plugin.so".into(), "linux_nl_plugin.so".into()],
            keepalive: None,
            release: None,
        }
    }

    pub(crate) fn has_plugin(&self, name: &str) -> bool {
        self.plugins.iter().any(|plugin| plugin == name)
    }
}
