//! Tracks which links or next-hop objects a dump shows, and which were notified meanwhile.

use ahash::AHashSet;

/// A dump in progress. Dump and notifications arrive on different sockets: a notification since the
/// start of the dump is newer than what the dump shows of the same index or id.
#[derive(Debug, Default)]
pub(in crate::table) struct DumpTracker {
    notified: AHashSet<u32>,
    dumped: AHashSet<u32>,
}

impl DumpTracker {
    /// Records a notification for `id`.
    pub(in crate::table) fn notified(dump: &mut Option<Self>, id: u32) {
        if let Some(dump) = dump {
            dump.notified.insert(id);
        }
    }

    /// Records that the dump shows `id`; returns false if a notification is newer.
    pub(in crate::table) fn dumped(dump: &mut Option<Self>, id: u32) -> bool {
        dump.as_mut().is_none_or(|dump| {
            dump.dumped.insert(id);
            !dump.notified.contains(&id)
        })
    }

    /// Whether neither the dump nor a notification mentioned it.
    pub(in crate::table) fn is_stale(&self, id: u32) -> bool {
        !self.notified.contains(&id) && !self.dumped.contains(&id)
    }
}
