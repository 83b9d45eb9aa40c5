//! Indices of values that are stored elsewhere.

/// A stored [`NextHopSet`](crate::route::NextHopSet).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SetId(pub(in crate::table) u32);

/// A stored [`PathSet`](crate::route::PathSet), or [`PathSetId::NONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathSetId(pub(in crate::table) u32);

impl PathSetId {
    /// No paths: the prefix is not in VPP, or is to be deleted.
    pub const NONE: Self = Self(u32::MAX);

    /// Whether this is [`PathSetId::NONE`].
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }

    /// The index, for arrays in parallel to the table.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A prefix's slot in the table. Valid while the prefix is taken (see
/// [`Table::take_dirty`](crate::table::Table::take_dirty)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    pub(in crate::table) rib: u16,
    pub(in crate::table) slot: u32,
}

/// A set's id and version.
pub(in crate::table) type CachedSet = (SetId, u32);
