//! Kernel settings of a network namespace.

use std::fs;
use std::path::{Component, Path};

use crate::error::KernelError;

use super::socket::in_namespace;

const NET: &str = "/proc/sys/net";

/// The setting `net.KEY`, its parts separated by slashes (`ipv4/nexthop_compat_mode`), in the
/// namespace, or in this process's if there is none. None if this kernel does not have or does not
/// show the setting.
///
/// # Errors
/// [`KernelError`] if the namespace cannot be entered.
pub fn sysctl(namespace: Option<&Path>, key: &str) -> Result<Option<String>, KernelError> {
    let within = |part| matches!(part, Component::Normal(_));
    if !Path::new(key).components().all(within) {
        return Ok(None);
    }
    // procfs shows the settings of the reading thread's namespace.
    let read = || Ok(fs::read_to_string(Path::new(NET).join(key)).ok());
    Ok(in_namespace(namespace, read)?.map(|text| text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shown_and_nothing_else() {
        let shown = |key| sysctl(None, key).ok().flatten();
        assert!(shown("ipv4/ip_forward").is_some_and(|value| ["0", "1"].contains(&&*value)));
        assert_eq!(shown("ipv4/no_such_setting"), None);
        assert_eq!(shown("../kernel/ostype"), None);
        assert_eq!(shown("/etc/hostname"), None);
    }
}
