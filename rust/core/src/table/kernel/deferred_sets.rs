//! The next-hop sets that the next walk of the table looks for.

use crate::table::resolve::resolver::SetMarks;
use crate::table::store::ids::SetId;

/// What the next walk looks for.
#[derive(Default)]
pub(in crate::table) struct DeferredSets {
    pub(in crate::table) deferred: bool,
    /// Sets whose routes are gone. Each keeps one reference, which reserves its number.
    pub(in crate::table) gone: Vec<SetId>,
    /// The same sets, as a bit map.
    pub(in crate::table) marks: SetMarks,
    pub(in crate::table) changed: Vec<SetId>,
    /// Routes removed so far.
    pub(in crate::table) removed: usize,
}
