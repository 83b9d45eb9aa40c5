//! Which deletions wait for an operator's approval.

use ahash::AHashSet;

use crate::table::store::ids::Handle;

/// Whether deletions are withheld, and which.
#[derive(Default)]
pub(in crate::table) struct DeletionGuard {
    pub(in crate::table) on: bool,
    /// VPP interfaces (`sw_if_index`) whose routes are deleted anyway.
    pub(in crate::table) gone: Vec<u32>,
    pub(in crate::table) handles: AHashSet<Handle>,
}
