//! Everything that a simulated VPP knows.

use std::collections::BTreeMap;

use bgpreflector_core::route::Family;

use crate::description::{Description, id};
use crate::faults::Faults;
use crate::fib::Fib;
use crate::interfaces::Interfaces;
use crate::settings::Settings;
use crate::sources::Sources;
use crate::statistics::Statistics;

/// Ids that the hot path needs at every message.
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
    /// Name by table and family.
    pub(crate) tables: BTreeMap<(u32, bool), String>,
    pub(crate) sources: Sources,
    pub(crate) fib: Fib,
    pub(crate) faults: Faults,
    pub(crate) statistics: Statistics,
    pub(crate) route_ids: RouteIds,
    /// Interface events to send: `sw_if_index`, up, deleted.
    pub(crate) events: Vec<(u32, bool, bool)>,
    /// Rises at each restart: clients of an earlier run are dropped.
    pub(crate) run: u64,
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        use bgpreflector_core::vpp::messages as m;
        let of = |message| id(message).unwrap_or(u16::MAX);
        let interfaces = Interfaces::new(&settings, 0);
        Self {
            settings,
            description: Description::default(),
            interfaces,
            tables: first_tables(),
            sources: Sources::new(),
            fib: Fib::default(),
            faults: Faults::default(),
            statistics: Statistics::default(),
            route_ids: RouteIds {
                v1: of(m::IP_ROUTE_ADD_DEL),
                v1_reply: of(m::IP_ROUTE_ADD_DEL_REPLY),
                v2: of(m::IP_ROUTE_ADD_DEL_V2),
                v2_reply: of(m::IP_ROUTE_ADD_DEL_V2_REPLY),
            },
            events: Vec::new(),
            run: 0,
        }
    }

    /// Forgets everything, as a VPP that is started again.
    pub(crate) fn restart(&mut self, shift: u32) {
        self.interfaces = Interfaces::new(&self.settings, shift);
        self.tables = first_tables();
        self.sources = Sources::new();
        self.fib = Fib::default();
        self.events.clear();
        self.run += 1;
    }

    pub(crate) fn has_table(&self, table: u32, family: Family) -> bool {
        table == 0 || self.tables.contains_key(&(table, family == Family::V6))
    }
}

fn first_tables() -> BTreeMap<(u32, bool), String> {
    BTreeMap::from([
        ((0, false), "ipv4-VRF:0".into()),
        ((0, true), "ipv6-VRF:0".into()),
    ])
}
