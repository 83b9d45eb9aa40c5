//! The state of a route in VPP.

use crate::table::resolve::hold_reason::HoldReason;

/// The state of a kernel route in VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteState {
    /// VPP has it.
    Installed,
    /// VPP has not answered a request for it, or the request is still to be sent.
    Queued,
    /// VPP currently cannot have it.
    Held(HoldReason),
    /// VPP refused it with this `retval`.
    Rejected(i32),
    /// Another route of its prefix forwards.
    NotBest,
    /// It is of a protocol that is not mirrored.
    Foreign,
}

impl RouteState {
    /// The state's name in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RouteState::Installed => "installed",
            RouteState::Queued => "queued",
            RouteState::Held(_) => "held",
            RouteState::Rejected(_) => "rejected",
            RouteState::NotBest => "not_best",
            RouteState::Foreign => "foreign",
        }
    }
}
