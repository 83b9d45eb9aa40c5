//! Counts, updated with each change.

/// The number of prefixes of one family in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Kernel routes, of all protocols.
    pub kernel: usize,
    /// Desired prefixes.
    pub desired: usize,
    /// Prefixes that VPP has acknowledged.
    pub installed: usize,
    /// Prefixes of a mirrored protocol that VPP currently cannot have
    /// ([`HoldReason`](crate::table::HoldReason)).
    pub held: usize,
    /// Held prefixes with a substitute ([`Substitute`](crate::table::Substitute)); these also count as
    /// desired.
    pub substituted: usize,
    /// Prefixes whose last request VPP refused.
    pub rejected: usize,
    /// Prefixes of an earlier run in VPP that the kernel has not shown: they are deleted once a
    /// complete dump has confirmed that ([`Table::confirm`](crate::table::Table::confirm)).
    pub unconfirmed: usize,
}

/// Messages that contradicted the table; each is repaired, and growing numbers deserve attention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anomalies {
    /// Withdrawals of routes that were not known.
    pub unknown_withdrawals: u64,
    /// Dumped routes that contradicted a notification during the dump.
    pub uncertain_dump_routes: u64,
}
