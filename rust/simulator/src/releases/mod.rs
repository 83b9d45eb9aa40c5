//! VPP's releases, where they differ for a client: message ids, missing messages, and the requests
//! that crash them. The message tables come from the handshakes of these releases; linux-cp's
//! messages, which those builds did not have, come last.

use std::collections::BTreeMap;

use bgpreflector_core::vpp::Faults;
use serde::Deserialize;

/// A release of VPP.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Release {
    /// As `show_version` reports it.
    pub(crate) version: String,
    /// `name_crc` and id of the messages that the simulator has a part in.
    pub(crate) messages: BTreeMap<String, u16>,
}

const RELEASES: [(&str, &str); 5] = [
    ("22.10", include_str!("22.10.json")),
    ("24.02", include_str!("24.02.json")),
    ("25.06", include_str!("25.06.json")),
    ("26.06", include_str!("26.06.json")),
    ("26.10", include_str!("26.10.json")),
];

impl Release {
    /// The releases' names.
    pub const NAMES: [&'static str; 5] = ["22.10", "24.02", "25.06", "26.06", "26.10"];

    /// The release of a name, none where there is no such.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (_, text) = RELEASES.iter().find(|(known, _)| *known == name)?;
        serde_json::from_str(text).ok()
    }

    /// What ends it. A drop did not end the 22.10 that was measured.
    pub(crate) fn faults(&self) -> Faults {
        let faults = Faults::of_version(&self.version);
        Faults {
            drop: faults.drop && !self.version.starts_with("22.10"),
            ..faults
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_read() {
        for name in Release::NAMES {
            let release = Release::named(name).unwrap();
            assert!(release.version.starts_with(name));
            assert_eq!(release.messages.get("sockclnt_create_455fb9c4"), Some(&15));
            let has_json = release
                .messages
                .keys()
                .any(|m| m.starts_with("get_api_json_"));
            assert_eq!(has_json, name >= "24.06", "{name}");
        }
        assert!(Release::named("20.01").is_none());
    }
}
