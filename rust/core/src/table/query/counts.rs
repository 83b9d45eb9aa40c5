//! Figures of the table, kept as it changes.

/// How many prefixes of one family are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Kernel routes held, of all protocols.
    pub kernel: usize,
    /// Desired prefixes.
    pub desired: usize,
    /// Prefixes that VPP has acknowledged.
    pub installed: usize,
    /// Prefixes of a mirrored protocol that VPP cannot have now ([`HoldReason`](crate::table::HoldReason)).
    pub held: usize,
    /// Held prefixes with a substitute ([`Substitute`](super::Substitute)); these also count as
    /// desired.
    pub substituted: usize,
    /// Prefixes whose last request VPP refused.
    pub failed: usize,
    /// Prefixes that VPP had before we came and that the kernel has not shown: they are deleted
    /// once a certified dump has confirmed that ([`Table::confirm`](crate::table::Table::confirm)).
    pub unconfirmed: usize,
}

/// Messages that did not fit what was known; each is repaired, and worth a look when it grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anomalies {
    /// Withdrawals of routes that were not known.
    pub unknown_withdrawals: u64,
    /// Routes of a dump that contradicted a notification that came while it ran.
    pub uncertain_dump_routes: u64,
}
