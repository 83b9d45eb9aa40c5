//! Resolves next hops to VPP's paths, or to the reason why there are none.

pub(super) mod fallback;
pub(super) mod hold_reason;
pub(super) mod interfaces;
pub(super) mod nexthops;
pub(super) mod resolver;
pub(super) mod set_index;
pub(super) mod substitutes;
pub(super) mod topology;
