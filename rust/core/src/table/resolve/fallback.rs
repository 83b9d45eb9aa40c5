//! Substitutes for routes that VPP cannot have.
//!
//! Without one VPP forwards the prefix by the next shorter prefix that it has, unlike the kernel,
//! which forwards by this route.

use crate::route::{PathSet, PathType};

use crate::table::resolve::hold_reason::HoldReason;

/// What to install for a route that VPP cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Fallback {
    /// Nothing: VPP forwards by a shorter prefix.
    #[default]
    Hold,
    /// A drop.
    Drop,
    /// A path of type local: VPP passes the packets to its local listeners. linux-cp passes them to
    /// the kernel, which forwards them.
    Punt,
}

crate::named_enum! {
    /// What is installed in place of a route.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Substitute {
        /// The next hops that VPP can have.
        NextHops = "next_hops",
        /// A drop.
        Drop = "drop",
        /// A local path.
        Punt = "punt",
    }
}

impl Substitute {
    pub(in crate::table) fn of(paths: &PathSet) -> Self {
        match paths.paths().first().map(|path| path.path_type) {
            Some(PathType::Normal) | None => Substitute::NextHops,
            Some(PathType::Local) => Substitute::Punt,
            Some(_) => Substitute::Drop,
        }
    }
}

/// A next-hop set, resolved to VPP's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The desired paths.
    pub paths: Option<PathSet>,
    /// Why these differ from the kernel's, or why there are none.
    pub held: Option<HoldReason>,
}

impl Resolved {
    pub(in crate::table) fn whole(paths: PathSet) -> Self {
        Self {
            paths: Some(paths),
            held: None,
        }
    }
}

impl From<HoldReason> for Resolved {
    fn from(held: HoldReason) -> Self {
        Self {
            paths: None,
            held: Some(held),
        }
    }
}
