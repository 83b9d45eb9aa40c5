//! Links and next-hop objects of a dump, and what notifications say of them meanwhile.

use ahash::AHashSet;

/// A dump under way. Dump and notifications arrive on different sockets: what a notification said
/// since the dump began is newer than what the dump shows of the same index or id.
#[derive(Debug, Default)]
pub(super) struct Beside {
    told: AHashSet<u32>,
    shown: AHashSet<u32>,
}

impl Beside {
    /// Takes note that a notification was about it.
    pub(super) fn told(dump: &mut Option<Self>, id: u32) {
        if let Some(dump) = dump {
            dump.told.insert(id);
        }
    }

    /// Takes note that the dump shows it; returns whether that is news.
    pub(super) fn shown(dump: &mut Option<Self>, id: u32) -> bool {
        dump.as_mut().is_none_or(|dump| {
            dump.shown.insert(id);
            !dump.told.contains(&id)
        })
    }

    /// Whether neither the dump nor a notification knows of it.
    pub(super) fn lacks(&self, id: u32) -> bool {
        !self.told.contains(&id) && !self.shown.contains(&id)
    }
}
