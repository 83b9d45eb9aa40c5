//! The routes of the kernel, by prefix, and the sets and paths that they share.

pub(super) mod any_rib;
pub(super) mod attribute_cache;
pub(super) mod direct_mapped;
pub(super) mod entry;
pub(super) mod ids;
pub(super) mod interner;
pub(super) mod partitions;
pub(super) mod rib;
