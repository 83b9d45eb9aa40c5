//! Which routes a listing shows.

use std::net::IpAddr;

use crate::route::{NextHop, Prefix};

use crate::table::Table;
use crate::table::query::route_state::RouteState;
use crate::table::store::ids::SetId;

/// Which routes a listing shows; all by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteFilter {
    /// Those in one of these states ([`RouteState::name`]); empty for all.
    pub states: Vec<String>,
    /// Those to this prefix or to one within it.
    pub within: Option<Prefix>,
    /// Those with a next hop of this gateway.
    pub gateway: Option<IpAddr>,
    /// Those with a next hop through this kernel interface.
    pub interface: Option<u32>,
}

impl RouteFilter {
    pub(super) fn accepts(&self, state: RouteState) -> bool {
        self.states.is_empty() || self.states.iter().any(|name| name == state.name())
    }

    pub(super) fn contains(&self, prefix: &Prefix) -> bool {
        self.within.is_none_or(|within| {
            let cut = Prefix::new(prefix.address(), within.length());
            prefix.length() >= within.length() && cut == Ok(within)
        })
    }

    /// One next hop has to be both.
    fn goes_by(&self, hop: &NextHop) -> bool {
        self.gateway
            .is_none_or(|gateway| hop.gateway == Some(gateway))
            && self.interface.is_none_or(|index| hop.interface == index)
    }
}

impl Table {
    /// Whether a set of next hops leads where the filter asks for.
    pub(super) fn leads(&self, filter: &RouteFilter, set: SetId) -> bool {
        if filter.gateway.is_none() && filter.interface.is_none() {
            return true;
        }
        let set = self.resolver.sets.get(set.0);
        let hops = set.map(|set| self.next_hops_of(&set.next_hops));
        hops.is_some_and(|hops| hops.iter().any(|hop| filter.goes_by(hop)))
    }
}
