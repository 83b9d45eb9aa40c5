//! Prefixes that wait because the limit is reached.

use crate::table::Table;
use crate::table::fib::limit::LimitChange;
use crate::table::store::ids::Handle;

/// How far below the limit, as a fraction of it, the number must fall before the limit counts as
/// kept again: a peer whose routes come and go at the limit must not fill the log.
const MARGIN: usize = 20;

impl Table {
    /// Whether the number exceeds the limit, or did until it fell far enough.
    #[must_use]
    pub fn limit_exceeded(&self) -> bool {
        self.limit_state.exceeded
    }

    /// Prefixes that wait because the limit is reached.
    #[must_use]
    pub fn over_limit(&self) -> usize {
        self.limit_state.over.len()
    }

    /// The change of the limit's state since the last call.
    pub fn take_limit_change(&mut self) -> Option<LimitChange> {
        let limit = self.scope.limit?;
        let prefixes = self.claimed() + self.over_limit();
        let exceeded = match self.limit_state.exceeded {
            false => prefixes > limit.prefixes,
            true => prefixes > limit.prefixes - limit.prefixes / MARGIN,
        };
        if exceeded == self.limit_state.exceeded {
            return None;
        }
        self.limit_state.exceeded = exceeded;
        Some(LimitChange {
            limit,
            exceeded,
            prefixes,
        })
    }

    /// Desired prefixes, and those of an earlier run that may turn out to be desired: these count
    /// until the kernel has shown all its routes.
    fn claimed(&self) -> usize {
        let claimed = self.counts.iter().map(|c| c.desired + c.unconfirmed);
        claimed.sum()
    }

    /// Whether VPP may have one more prefix.
    pub(in crate::table) fn has_room(&self) -> bool {
        self.scope.most().is_none_or(|most| self.claimed() < most)
    }

    /// Records whether a prefix waits for room.
    pub(in crate::table) fn wait_for_room(&mut self, handle: Handle, waits: bool) {
        if waits {
            self.limit_state.over.insert(handle);
        } else if !self.limit_state.over.is_empty() {
            self.limit_state.over.swap_remove(&handle);
        }
    }

    /// Admits waiting prefixes while there is room.
    pub(in crate::table) fn admit(&mut self) {
        if std::mem::replace(&mut self.limit_state.admitting, true) {
            return;
        }
        while self.has_room() {
            let Some(handle) = self.limit_state.over.pop() else {
                break;
            };
            self.refresh(handle);
        }
        self.limit_state.admitting = false;
    }
}
