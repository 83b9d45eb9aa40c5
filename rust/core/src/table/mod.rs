//! The route table: what the kernel has, what VPP has acknowledged, and the difference.
//!
//! Kernel changes enter through [`Table::announce`], [`Table::withdraw`] and their like and take
//! effect at once. A prefix whose desired paths differ from the installed ones becomes *dirty* and
//! waits, once, however often it changes, until [`Table::take_dirty`] hands it out. The outcome of
//! a request comes back through [`Table::acknowledge`]: only what VPP has acknowledged counts as
//! installed.

mod answers;
mod any_rib;
mod beside;
mod best;
mod by_table;
mod concern;
mod counts;
mod drift;
mod entry;
mod fallback;
mod held;
mod ids;
mod input;
mod installed;
mod interfaces;
mod interner;
mod limit;
mod meaning;
mod near;
mod next_hops;
mod order;
mod own;
mod parts;
mod prefix_lists;
mod protocols;
mod quarantine;
mod queue;
mod recollection;
mod requests;
mod resolve;
mod resync;
mod rib;
mod scope;
mod sets;
mod settle;
mod sole;
mod surroundings;
mod unseen;
mod users;
mod view;
mod vpp_audit;
mod withheld;

use ahash::AHashMap;

use crate::route::Family;

use answers::Answers;
use any_rib::AnyRib;
use beside::Beside;
use concern::ForeignUsers;
use drift::Suspects;
use limit::Limited;
use meaning::Meanings;
use own::Own;
use quarantine::Quarantine;
use queue::Queue;
use resync::Resyncs;
use settle::Unsettled;
use unseen::Unseen;
use withheld::Withheld;

pub use answers::Answer;
pub use counts::{Anomalies, Counts};
pub use drift::{Drift, DriftReport};
pub use fallback::{Fallback, Resolved, Substitute};
pub use held::Held;
pub use ids::{Handle, PathSetId};
pub use input::Announcement;
pub use interfaces::{Interfaces, Link, Unmapped};
pub use limit::{Beyond, Limit, LimitChange};
pub use next_hops::NextHopObject;
pub use order::Placement;
pub use prefix_lists::{PrefixLists, PrefixRule, Verdict};
pub use protocols::Protocols;
pub use requests::{Refusal, Request, Taken};
pub use resync::{Doubt, Extent, Swept, UnseenPrefixes};
pub use scope::{ForeignRoutes, RouteSource, Scope};
pub use sets::SetView;
pub use view::{Cursor, RouteFilter, RouteState, RouteView};
pub use vpp_audit::{Shown, VppDrift};
pub use withheld::WithheldDeletions;

/// The routes of every mirrored kernel table, and what VPP has of them.
pub struct Table {
    scope: Scope,
    ribs: Vec<AnyRib>,
    meanings: Meanings,
    dirty: Queue,
    refusals: AHashMap<Handle, Refusal>,
    counts: [Counts; 2],
    anomalies: Anomalies,
    denied: u64,
    resyncs: Resyncs,
    suspects: Suspects,
    unseen: Unseen,
    unsettled: Unsettled,
    /// Routes of mirrored protocols with a TOS.
    with_tos: usize,
    foreign_users: ForeignUsers,
    withheld: Withheld,
    limited: Limited,
    own: Own,
    quarantine: Quarantine,
    link_dump: Option<Beside>,
    next_hop_dump: Option<Beside>,
    /// Whom to tell what VPP says; nobody unless somebody asked for it.
    answers: Option<Answers>,
}

impl Table {
    /// An empty table for what `scope` mirrors.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        let ribs = scope
            .families
            .iter()
            .flat_map(|family| {
                scope
                    .tables
                    .iter()
                    .map(|(k, v)| AnyRib::new(*family, *k, *v))
            })
            .collect();
        Self {
            scope,
            ribs,
            meanings: Meanings::default(),
            dirty: Queue::default(),
            refusals: AHashMap::new(),
            counts: [Counts::default(); 2],
            anomalies: Anomalies::default(),
            denied: 0,
            resyncs: Resyncs::default(),
            suspects: Suspects::default(),
            unseen: Unseen::default(),
            unsettled: Unsettled::default(),
            with_tos: 0,
            foreign_users: ForeignUsers::default(),
            withheld: Withheld::default(),
            limited: Limited::default(),
            own: Own::default(),
            quarantine: Quarantine::default(),
            link_dump: None,
            next_hop_dump: None,
            answers: None,
        }
    }

    /// What is mirrored.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How many prefixes of a family are in which state.
    #[must_use]
    pub fn counts(&self, family: Family) -> Counts {
        let [v4, v6] = self.counts;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }

    /// What the kernel said that does not fit what was known.
    #[must_use]
    pub fn anomalies(&self) -> Anomalies {
        self.anomalies
    }

    /// Announcements so far that [`Scope::prefixes`] left out.
    #[must_use]
    pub fn denied(&self) -> u64 {
        self.denied
    }

    /// Prefixes that wait for a request to VPP.
    #[must_use]
    pub fn dirty(&self) -> usize {
        self.dirty.len()
    }

    fn counts_mut(&mut self, family: Family) -> &mut Counts {
        let [v4, v6] = &mut self.counts;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }

    fn rib(&self, handle: Handle) -> Option<&AnyRib> {
        self.ribs.get(usize::from(handle.rib))
    }

    fn rib_mut(&mut self, handle: Handle) -> Option<&mut AnyRib> {
        self.ribs.get_mut(usize::from(handle.rib))
    }

    fn rib_index(&self, family: Family, kernel_table: u32) -> Option<u16> {
        let is = |rib: &AnyRib| rib.kernel_table == kernel_table && rib.family() == family;
        self.ribs
            .iter()
            .position(is)
            .and_then(|index| u16::try_from(index).ok())
    }

    /// Every place ever used, whether or not it is in use now.
    fn places(&self) -> impl Iterator<Item = Handle> + use<> {
        let ribs = (0_u16..).zip(&self.ribs);
        let slots: Vec<(u16, u32)> = ribs.map(|(i, rib)| (i, rib.slots())).collect();
        let places = |(rib, slots)| (0..slots).map(move |slot| Handle { rib, slot });
        slots.into_iter().flat_map(places)
    }

    fn ribs_of(&self, families: &[Family]) -> Vec<u16> {
        let ribs = (0_u16..).zip(&self.ribs);
        let of_families = ribs.filter(|(_, rib)| families.contains(&rib.family()));
        of_families.map(|(index, _)| index).collect()
    }
}
