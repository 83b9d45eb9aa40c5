//! The state of a simulated VPP.

use std::collections::BTreeSet;

use bgpreflector_core::vpp::Faults;

use crate::description::{Description, id};
use crate::faults::InjectedFaults;
use crate::fib::{Fib, Key};
use crate::interfaces::Interfaces;
use crate::releases::Release;
use crate::settings::Settings;
use crate::sources::Sources;
use crate::statistics::Statistics;
use crate::tables::Tables;

/// The version that it reports.
pub(crate) const VERSION: &str = "26.10-simulated";

/// Ids that the hot path needs for every message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteIds {
    pub(crate) v1: u16,
    pub(crate) v1_reply: u16,
    pub(crate) v2: u16,
    pub(crate) v2_reply: u16,
}

/// A simulated VPP.
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) description: Description,
    pub(crate) interfaces: Interfaces,
    pub(crate) tables: Tables,
    pub(crate) sources: Sources,
    pub(crate) fib: Fib,
    pub(crate) faults: InjectedFaults,
    pub(crate) statistics: Statistics,
    /// Keys of deletion requests, if they are recorded.
    pub(crate) deletions: Option<BTreeSet<Key>>,
    pub(crate) route_ids: RouteIds,
    /// What crashes a VPP of its release.
    pub(crate) release_faults: Faults,
    /// A request has crashed it: it restarts, as under a supervisor.
    pub(crate) crashed: bool,
    /// Interface events to send: `sw_if_index`, up, deleted.
    pub(crate) events: Vec<(u32, bool, bool)>,
    /// Incremented at each restart: clients of an earlier run are dropped.
    pub(crate) run: u64,
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        use bgpreflector_core::vpp::messages as m;
        let description = Description::of(settings.release.as_ref());
        let of = |message| description.to_wire(id(message).unwrap_or(u16::MAX));
        let route_ids = RouteIds {
            v1: of(m::IP_ROUTE_ADD_DEL),
            v1_reply: of(m::IP_ROUTE_ADD_DEL_REPLY),
            v2: of(m::IP_ROUTE_ADD_DEL_V2),
            v2_reply: of(m::IP_ROUTE_ADD_DEL_V2_REPLY),
        };
        let release_faults = settings
            .release
            .as_ref()
            .map_or(Faults::NONE, Release::faults);
        let interfaces = Interfaces::new(&settings, 0);
        let sources = Sources::new(&settings);
        let mut fib = Fib::default();
        Self {
            settings,
            description,
            interfaces,
            tables: Tables::new(&mut fib),
            sources,
            fib,
            faults: InjectedFaults::default(),
            statistics: Statistics::default(),
            deletions: None,
            route_ids,
            release_faults,
            crashed: false,
            events: Vec::new(),
            run: 0,
        }
    }

    /// VPP's version.
    pub(crate) fn version(&self) -> &str {
        let release = self.settings.release.as_ref();
        release.map_or(VERSION, |release| &release.version)
    }

    /// Resets everything, like a restarted VPP.
    pub(crate) fn restart(&mut self, shift: u32) {
        self.interfaces = Interfaces::new(&self.settings, shift);
        self.sources = Sources::new(&self.settings);
        self.fib = Fib::default();
        self.tables = Tables::new(&mut self.fib);
        self.statistics.routes = 0;
        self.events.clear();
        self.run += 1;
    }
}
