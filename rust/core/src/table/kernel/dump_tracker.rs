//! Links and next-hop objects of a dump, and what notifications say of them meanwhile.

use ahash::AHashSet;

/// A dump under way. Dump and notifications arrive on different sockets: what a notification said
/// since the dump began is newer than what the dump shows of the same index or id.
#[derive(Debug, Default)]
pub(in crate::table) struct DumpTracker {
    notified: AHashSet<u32>,
    dumped: AHashSet<u32>,
}

impl DumpTracker {
    /// Takes note that a notification was about it.
    pub(in crate::table) fn notified(dump: &mut Option<Self>, id: u32) {
        if let Some(dump) = dump {
            dump.notified.insert(id);
        }
    }

    /// Takes note that the dump shows it; returns whether that is news.
    pub(in crate::table) fn dumped(dump: &mut Option<Self>, id: u32) -> bool {
        dump.as_mut().is_none_or(|dump| {
            dump.dumped.insert(id);
            !dump.notified.contains(&id)
        })
    }

    /// Whether neither the dump nor a notification knows of it.
    pub(in crate::table) fn is_stale(&self, id: u32) -> bool {
        !self.notified.contains(&id) && !self.dumped.contains(&id)
    }
}
