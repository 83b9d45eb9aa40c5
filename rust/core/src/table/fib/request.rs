//! The requests to VPP.

use crate::route::Prefix;

use crate::table::store::ids::{Handle, PathSetId};

/// The change that VPP needs for one prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The prefix's handle.
    pub handle: Handle,
    /// The prefix.
    pub prefix: Prefix,
    /// VPP table.
    pub vpp_table: u32,
    /// The desired paths; [`PathSetId::NONE`] to delete the route.
    pub paths: PathSetId,
    /// Version of `paths`: under another version the same id refers to other paths.
    pub version: u32,
    /// Whether VPP has the prefix already.
    pub installed: bool,
}

/// Dirty prefixes handed out together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirtyBatch {
    /// Their handles.
    pub handles: Vec<Handle>,
    /// How many of them are additions.
    pub adds: usize,
    /// How many of them replace installed paths.
    pub replaces: usize,
    /// How many of them are deletions.
    pub deletes: usize,
}
