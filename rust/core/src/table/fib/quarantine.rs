//! Routes that crash VPP: those learned from crashes, and those known beforehand.
//!
//! When VPP exits, every unanswered request is a suspect ([`Table::suspect`]); an answer clears it.
//! A prefix that was suspected twice is sent last and alone ([`Table::goes_alone`]). If VPP exits
//! again while it is unanswered, the prefix is held with these paths until it is released. VPP
//! being killed for another reason therefore costs no route its place: three such kills would have
//! to hit the same route, the last one with nothing else in flight.

use crate::route::{PathSet, Prefix};

use crate::table::Table;
use crate::table::fib::quarantine_state::{VppPrefix, without_interfaces};
use crate::table::fib::request::Request;
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::store::entry::EntryState;
use crate::table::store::ids::{Handle, PathSetId};

/// Crashes after which a prefix is sent alone.
const ALONE_AFTER: u8 = 2;
/// How many of the oldest unanswered requests include the one that crashed VPP: VPP takes
/// requests in order, 4,096 bytes (18 requests or more) at a time, and the answers to these may be
/// lost with it.
const OLDEST_SUSPECTS: usize = 256;
/// Maximum number of suspects; beyond it, those suspected only once are dropped.
const MAX_SUSPECTS: usize = 65_536;

fn vpp_prefix(request: &Request) -> VppPrefix {
    (request.vpp_table, request.prefix)
}

impl Table {
    /// The paths, unless they are held for this prefix.
    #[cold]
    pub(in crate::table) fn unless_quarantined(
        &self,
        handle: Handle,
        paths: PathSetId,
    ) -> Result<PathSetId, HoldReason> {
        let (Some(rib), Some(set)) = (self.rib(handle), self.paths(paths)) else {
            return Ok(paths);
        };
        let Some(prefix) = rib.prefix(handle.slot) else {
            return Ok(paths);
        };
        let drops = set.paths().iter().any(|path| path.path_type.drops());
        let unspecified_drop = rib.vpp_table != 0 && drops && prefix.address().is_unspecified();
        if unspecified_drop && self.quarantine.unspecified_drops {
            return Err(HoldReason::VppFault);
        }
        if self.quarantine.holds(&(rib.vpp_table, prefix), set) {
            return Err(HoldReason::CrashedVpp);
        }
        Ok(paths)
    }

    /// Holds, or releases, drops of the all-zeros prefixes outside VPP table 0: a VPP with the drop
    /// fault accepts drops of other prefixes in another form.
    pub fn hold_unspecified_drops(&mut self, on: bool) {
        if std::mem::replace(&mut self.quarantine.unspecified_drops, on) == on {
            return;
        }
        let mut concerned = Vec::new();
        for (index, rib) in (0_u16..)
            .zip(&self.ribs)
            .filter(|(_, rib)| rib.vpp_table != 0)
        {
            let family = rib.family();
            let zeros = (0..=family.bits()).map(|length| Prefix::of(family, 0, length));
            let slots = zeros.filter_map(|prefix| rib.find(&prefix));
            concerned.extend(slots.map(|slot| Handle { rib: index, slot }));
        }
        concerned
            .into_iter()
            .for_each(|handle| self.refresh(handle));
    }

    /// Records that VPP exited while exactly these requests, in the order sent, were unanswered.
    /// Returns those that are held from now on; each must still end in [`Self::abandon`].
    pub fn suspect(&mut self, requests: &[Request]) -> Vec<Request> {
        let first = requests.iter().take(OLDEST_SUSPECTS);
        let adding = first.filter(|request| !request.paths.is_none());
        let alone = requests.len() == 1;
        let mut held = Vec::new();
        if self.quarantine.suspects.len() > MAX_SUSPECTS {
            self.quarantine
                .suspects
                .retain(|_, exits| *exits >= ALONE_AFTER);
        }
        for request in adding {
            let exits = self
                .quarantine
                .suspects
                .entry(vpp_prefix(request))
                .or_default();
            *exits = exits.saturating_add(1);
            if alone && *exits > ALONE_AFTER {
                held.push(*request);
            }
        }
        for request in &held {
            self.hold(request);
        }
        held
    }

    /// Whether to send the request's prefix alone.
    #[must_use]
    pub fn goes_alone(&self, request: &Request) -> bool {
        let suspects = &self.quarantine.suspects;
        !suspects.is_empty()
            && suspects
                .get(&vpp_prefix(request))
                .is_some_and(|n| *n >= ALONE_AFTER)
    }

    /// Clears the suspicion after an answer.
    #[inline]
    pub(in crate::table) fn survived(&mut self, request: &Request) {
        if !self.quarantine.suspects.is_empty() {
            self.quarantine.suspects.remove(&vpp_prefix(request));
        }
    }

    fn hold(&mut self, request: &Request) {
        let Some(shape) = self.paths(request.paths).map(without_interfaces) else {
            return;
        };
        let others = self.quarantine.crashed.iter();
        let mut others = others.filter(|((table, prefix), sets)| {
            *table == request.vpp_table && *prefix != request.prefix && sets.contains(&shape)
        });
        let again = others.next().is_some();
        if again && !self.survives_elsewhere(request, &shape) {
            let set = (request.vpp_table, shape.clone());
            self.quarantine.crashed_sets.push(set);
        }
        let sets = self
            .quarantine
            .crashed
            .entry(vpp_prefix(request))
            .or_default();
        if !sets.contains(&shape) {
            sets.push(shape);
        }
        self.refresh_all();
    }

    /// Whether VPP had any route with such paths in the request's table when it exited.
    fn survives_elsewhere(&self, request: &Request, desired: &PathSet) -> bool {
        self.slots().any(|handle| {
            let rib = self
                .rib(handle)
                .filter(|rib| rib.vpp_table == request.vpp_table);
            let entry = rib.and_then(|rib| rib.entry(handle.slot));
            let installed = entry.and_then(|entry| self.paths(entry.installed));
            installed.is_some_and(|paths| without_interfaces(paths) == *desired)
        })
    }

    /// VPP table and prefix of the held routes, in order.
    #[must_use]
    pub fn crashed_vpp(&self) -> Vec<(u32, Prefix)> {
        let mut prefixes: Vec<VppPrefix> = self.quarantine.crashed.keys().copied().collect();
        prefixes.sort_unstable();
        prefixes
    }

    /// Releases a prefix in all VPP tables, or all prefixes. Returns how many were held.
    pub fn release(&mut self, prefix: Option<&Prefix>) -> usize {
        let is = |of: &VppPrefix| prefix.is_none_or(|prefix| of.1 == *prefix);
        let before = self.quarantine.crashed.len();
        self.quarantine.crashed.retain(|prefix, _| !is(prefix));
        self.quarantine.suspects.retain(|prefix, _| !is(prefix));
        let released = before - self.quarantine.crashed.len();
        // Held path sets derive from the prefixes, and are released with them.
        if released > 0 || prefix.is_none() {
            self.quarantine.crashed_sets.clear();
        }
        if released > 0 {
            self.refresh_all();
        }
        released
    }

    /// Happens once per end of VPP, which is followed by an adoption of all routes anyway.
    fn refresh_all(&mut self) {
        for handle in self.slots() {
            let entry = self.entry(handle);
            if entry.is_some_and(EntryState::in_use) {
                self.refresh(handle);
            }
        }
    }
}
