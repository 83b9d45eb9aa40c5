//! The prefixes of one kernel table, independent of the family.

use crate::route::{Family, Prefix};

use crate::table::store::entry::{Address, EntryState, Ipv6Words, KernelRoute, Routes, words};
use crate::table::store::rib::Rib;

enum Store {
    V4(Rib<u32>),
    V6(Rib<Ipv6Words>),
}

/// A [`Rib`] of either family, with its kernel and VPP table.
pub(in crate::table) struct AnyRib {
    pub(in crate::table) kernel_table: u32,
    pub(in crate::table) vpp_table: u32,
    store: Store,
}

macro_rules! either {
    ($self:expr, $rib:ident => $body:expr) => {
        match $self {
            Store::V4($rib) => $body,
            Store::V6($rib) => $body,
        }
    };
}

impl AnyRib {
    pub(in crate::table) fn new(family: Family, kernel_table: u32, vpp_table: u32) -> Self {
        let store = match family {
            Family::V4 => Store::V4(Rib::new()),
            Family::V6 => Store::V6(Rib::new()),
        };
        Self {
            kernel_table,
            vpp_table,
            store,
        }
    }

    pub(in crate::table) fn family(&self) -> Family {
        match self.store {
            Store::V4(_) => Family::V4,
            Store::V6(_) => Family::V6,
        }
    }

    /// The prefix's slot; none also for the other family.
    pub(in crate::table) fn find(&self, prefix: &Prefix) -> Option<u32> {
        let (bits, length) = (prefix.bits(), prefix.length());
        match (&self.store, prefix.family()) {
            (Store::V4(rib), Family::V4) => rib.find(bits as u32, length),
            (Store::V6(rib), Family::V6) => rib.find(words(bits), length),
            _ => None,
        }
    }

    /// The prefix's slot, created if missing, and its entry; none for the other family.
    pub(in crate::table) fn get_or_insert(
        &mut self,
        prefix: &Prefix,
    ) -> Option<(u32, &mut EntryState)> {
        let (bits, length) = (prefix.bits(), prefix.length());
        match (&mut self.store, prefix.family()) {
            (Store::V4(rib), Family::V4) => rib.get_or_insert(bits as u32, length),
            (Store::V6(rib), Family::V6) => rib.get_or_insert(words(bits), length),
            _ => None,
        }
    }

    /// The first slot from this one whose prefix `is` accepts.
    pub(in crate::table) fn next(
        &self,
        from: u32,
        is: impl Fn(&EntryState) -> bool,
    ) -> Option<u32> {
        either!(&self.store, rib => rib.next(from, is))
    }

    pub(in crate::table) fn prefix(&self, slot: u32) -> Option<Prefix> {
        either!(&self.store, rib => {
            let entry = rib.get(slot)?;
            Some(entry.address.prefix(entry.state.length))
        })
    }

    /// Whether any prefix is known.
    pub(in crate::table) fn in_use(&self) -> bool {
        either!(&self.store, rib => rib.in_use())
    }

    pub(in crate::table) fn slots(&self) -> u32 {
        either!(&self.store, rib => rib.slots())
    }

    pub(in crate::table) fn entry(&self, slot: u32) -> Option<&EntryState> {
        either!(&self.store, rib => Some(&rib.get(slot)?.state))
    }

    pub(in crate::table) fn entry_mut(&mut self, slot: u32) -> Option<&mut EntryState> {
        either!(&mut self.store, rib => Some(&mut rib.get_mut(slot)?.state))
    }

    pub(in crate::table) fn routes(&self, slot: u32) -> Routes {
        either!(&self.store, rib => rib.routes(slot))
    }

    /// The routes of the prefixes that have more than one.
    pub(in crate::table) fn many(&self) -> impl ExactSizeIterator<Item = &Routes> {
        either!(&self.store, rib => rib.many())
    }

    pub(in crate::table) fn set_routes(
        &mut self,
        slot: u32,
        routes: Routes,
        best: Option<KernelRoute>,
    ) {
        either!(&mut self.store, rib => rib.set_routes(slot, routes, best));
    }

    pub(in crate::table) fn index_all(&mut self) {
        either!(&mut self.store, rib => rib.index_all());
    }

    pub(in crate::table) fn remove(&mut self, slot: u32) {
        either!(&mut self.store, rib => rib.remove(slot));
    }
}
