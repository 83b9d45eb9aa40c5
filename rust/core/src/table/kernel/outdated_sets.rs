//! Next-hop sets of foreign routes that the kernel may have changed or removed without a message.
//!
//! Such a change is no reason for a dump while no mirrored route shares a prefix with one of these
//! routes: what is known of them decides nothing. It becomes one with the first that does.

use ahash::AHashSet;

use crate::table::store::ids::SetId;

/// Sets that are not known to be as the kernel has them. A number that another set has been given
/// since costs a dump, no more.
#[derive(Default)]
pub(in crate::table) struct OutdatedSets {
    /// Since the last complete dump began.
    since: AHashSet<SetId>,
    /// Since the one before it.
    before: AHashSet<SetId>,
}

impl OutdatedSets {
    pub(in crate::table) fn add(&mut self, sets: Vec<SetId>) {
        self.since.extend(sets);
    }

    pub(in crate::table) fn has(&self, id: SetId) -> bool {
        self.since.contains(&id) || self.before.contains(&id)
    }

    /// A dump of everything begins: what changes from here on may have been dumped already.
    pub(in crate::table) fn begin_dump(&mut self) {
        self.before.extend(self.since.drain());
    }

    /// It was complete.
    pub(in crate::table) fn end_dump(&mut self) {
        self.before = AHashSet::new();
    }
}
