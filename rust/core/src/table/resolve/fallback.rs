//! Substitutes for routes that VPP cannot have.
//!
//! Without one VPP forwards the prefix by the next shorter prefix that it has, unlike the kernel,
//! which forwards by this route.

use crate::route::{Family, NextHopSet, PathKind, PathSet};

use crate::table::Table;
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::resolve::topology::{Topology, special};
use crate::table::store::entry::flag;
use crate::table::store::ids::PathSetId;

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

/// What is installed in place of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Substitute {
    /// The next hops that VPP can have.
    Legs,
    /// A drop.
    Drop,
    /// A local path.
    Punt,
}

impl Substitute {
    /// Its name in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Substitute::Legs => "legs",
            Substitute::Drop => "drop",
            Substitute::Punt => "punt",
        }
    }

    fn of(paths: &PathSet) -> Self {
        match paths.paths().first().map(|path| path.kind) {
            Some(PathKind::Normal) | None => Substitute::Legs,
            Some(PathKind::Local) => Substitute::Punt,
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

impl Topology {
    /// Resolves `set` to paths, or to its substitute.
    pub(in crate::table) fn resolve_or_substitute(&self, set: &NextHopSet) -> Resolved {
        let resolved = self.resolve(set);
        match resolved.held {
            Some(held) if resolved.paths.is_none() && takes_fallback(held) => Resolved {
                paths: self.substitute(set.family),
                ..resolved
            },
            _ => resolved,
        }
    }

    fn substitute(&self, family: Family) -> Option<PathSet> {
        match self.interfaces.fallback {
            Fallback::Hold => None,
            Fallback::Drop => Some(special(family, PathKind::Drop)),
            Fallback::Punt => Some(special(family, PathKind::Local)),
        }
    }
}

/// Whether the kernel forwards by a route that is held for this reason, and VPP survives the
/// substitute.
const fn takes_fallback(held: HoldReason) -> bool {
    match held {
        HoldReason::NoInterface(_)
        | HoldReason::UnknownNextHop(_)
        | HoldReason::RouteType(_)
        | HoldReason::Encapsulation(_)
        | HoldReason::LabelsWithoutGateway
        | HoldReason::TooManyLabels(_)
        | HoldReason::TooManyNextHops(_) => true,
        // The kernel also continues with a shorter prefix (`fib_table_lookup`, `fib6_backtrack`).
        HoldReason::NoUsableNextHop
        // The route does not apply to VPP's packets.
        | HoldReason::TypeOfService(_)
        | HoldReason::SourceSpecific(_)
        // VPP must have nothing for the prefix.
        | HoldReason::OverLimit | HoldReason::EndedVpp | HoldReason::VppFault => false,
    }
}

impl Table {
    /// Counts of substituted prefixes ([`Substitute`]).
    #[must_use]
    pub fn substitutes(&self) -> [(Substitute, usize); 3] {
        let mut counts = [Substitute::Legs, Substitute::Drop, Substitute::Punt].map(|s| (s, 0));
        let mut add = |paths, count| {
            let found = self.substitute_of(paths);
            for (of, total) in &mut counts {
                *total += if found == Some(*of) { count } else { 0 };
            }
        };
        if self.counts.iter().all(|counts| counts.substituted == 0) {
            return counts;
        }
        if self.quarantine.is_empty() && self.scope.most().is_none() {
            for (set, count) in self.resolver.held() {
                add(self.resolver.resolution(set).paths, count);
            }
            return counts;
        }
        // Quarantine holds by prefix, not by set.
        for handle in self.places() {
            let body = self.rib(handle).and_then(|rib| rib.body(handle.slot));
            let both = |flags| flags & SUBSTITUTED == SUBSTITUTED;
            if let Some(body) = body.filter(|body| body.in_use() && both(body.flags)) {
                add(self.desired(handle, body), 1);
            }
        }
        counts
    }

    /// The substitute that these paths are.
    pub(in crate::table) fn substitute_of(&self, paths: PathSetId) -> Option<Substitute> {
        self.paths(paths).map(Substitute::of)
    }
}

/// Flags of a prefix that has a substitute.
pub(in crate::table) const SUBSTITUTED: u8 = flag::DESIRED | flag::HELD;
