//! FIB sources.

use crate::settings::Settings;

/// A FIB source.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) id: u8,
    pub(crate) priority: u8,
    pub(crate) name: String,
}

/// Id of the source of the routes that every table has.
pub(crate) const SPECIAL: u8 = 1;
/// Id of the source of interfaces' addresses.
pub(crate) const INTERFACE: u8 = 4;
/// Id of the source of requests that name none.
pub(crate) const API: u8 = 8;
/// Id of the source of the default drop routes.
pub(crate) const DEFAULT_ROUTE: u8 = 20;

/// VPP's own sources: priority and name; the id is the index.
const BUILT_IN: [(u8, &str); 23] = [
    (255, "invalid"),
    (0, "special"),
    (1, "classify"),
    (2, "proxy"),
    (3, "interface"),
    (16, "SR"),
    (32, "BIER"),
    (48, "6RD"),
    (128, "API"),
    (129, "CLI"),
    (144, "LISP"),
    (160, "MAP"),
    (176, "DHCP"),
    (192, "IPv6-proxy-nd"),
    (193, "IPv6-nd"),
    (208, "adjacency"),
    (224, "mpls"),
    (240, "attached_export"),
    (251, "recursive-resolution"),
    (252, "urpf-exempt"),
    (253, "default-route"),
    (254, "interpose"),
    (16, "path-mtu"),
];
/// Those of the plugin that mirrors the kernel's routes.
const LINUX_NL: [(u8, &str); 2] = [(16, "lcp-rt"), (17, "lcp-rt-dynamic")];

/// All sources. As in VPP, adding always creates a new one and none is ever freed.
#[derive(Debug)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    /// VPP's own sources, and those of its plugins.
    pub(crate) fn new(settings: &Settings) -> Self {
        let source = |(id, (priority, name)): (u8, &(u8, &str))| Source {
            id,
            priority: *priority,
            name: (*name).to_owned(),
        };
        let follows_kernel = settings.has_plugin("linux_nl_plugin.so");
        let of_plugins = LINUX_NL.iter().filter(|_| follows_kernel);
        let first = BUILT_IN.iter().chain(of_plugins);
        Self((0..).zip(first).map(source).collect())
    }

    /// The new source's id; none if there are 255.
    pub(crate) fn add(&mut self, name: String, priority: u8) -> Option<u8> {
        let id = u8::try_from(self.0.len()).ok().filter(|id| *id < u8::MAX)?;
        self.0.push(Source { id, priority, name });
        Some(id)
    }

    pub(crate) fn all(&self) -> &[Source] {
        &self.0
    }

    pub(crate) fn named(&self, name: &str) -> Option<u8> {
        self.0
            .iter()
            .find(|source| source.name == name)
            .map(|source| source.id)
    }

    pub(crate) fn priority(&self, id: u8) -> Option<u8> {
        self.0.get(usize::from(id)).map(|source| source.priority)
    }
}
