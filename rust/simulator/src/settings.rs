//! How a simulator begins.

use std::path::PathBuf;
use std::time::Duration;

use crate::releases::Release;

/// How a simulator begins, and begins again after a restart.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens, as VPP does on its API socket.
    pub socket: PathBuf,
    /// Where it takes orders, one JSON object a line.
    pub control_socket: Option<PathBuf>,
    /// Names of its interfaces besides `local0`, which has `sw_if_index` 0.
    pub interfaces: Vec<String>,
    /// linux-cp pairs: VPP interface and Linux interface, which may have the name of its network
    /// namespace and a slash before it.
    pub pairs: Vec<(String, String)>,
    /// Its plugins. With `linux_nl_plugin.so` it has that plugin's FIB sources too.
    pub plugins: Vec<String>,
    /// How long a client may be silent before it is sent a `memclnt_keepalive`; none: never.
    pub keepalive: Option<Duration>,
    /// The release that it plays; none: one with all messages, that nothing ends.
    pub release: Option<Release>,
}

impl Settings {
    /// Two loopbacks and the linux-cp plugins, as the recorded VPP had.
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
