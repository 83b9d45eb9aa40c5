//! The prefix limit.

use ahash::RandomState;
use indexmap::IndexSet;

use crate::table::store::ids::Handle;

/// What to do with prefixes beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitAction {
    /// They wait until others are removed
    /// ([`HoldReason::OverLimit`](crate::table::HoldReason::OverLimit)).
    Refuse,
    /// They go into VPP; the excess is reported.
    Warn,
}

/// The maximum number of prefixes in VPP, over both families and all tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The maximum number of prefixes.
    pub prefixes: usize,
    /// What to do with further ones.
    pub action: LimitAction,
}

/// The limit was exceeded, or is kept again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitChange {
    /// The limit.
    pub limit: Limit,
    /// Whether there are more prefixes than that.
    pub exceeded: bool,
    /// The number of prefixes that VPP could have.
    pub prefixes: usize,
}

/// The waiting prefixes, and whether the excess was reported.
#[derive(Default)]
pub(in crate::table) struct LimitState {
    pub(in crate::table) over: IndexSet<Handle, RandomState>,
    pub(in crate::table) exceeded: bool,
    /// Set while prefixes are admitted: an admission must not start the next.
    pub(in crate::table) admitting: bool,
}
