//! The kernel's interfaces and their counterparts in VPP.

use ahash::AHashMap;

use crate::route::HardwareAddress;

use crate::table::resolve::fallback::Fallback;

/// What to do with a next hop whose interface has no counterpart in VPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unmapped {
    /// The route waits until there is one.
    #[default]
    Wait,
    /// VPP resolves the gateway in its own FIB.
    Recursive,
    /// Use this VPP interface (the original's main interface).
    Interface(u32),
}

/// Kernel interfaces and their counterparts in VPP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces {
    /// Name of a kernel interface to VPP's `sw_if_index`: names outlive indices.
    pub map: AHashMap<String, u32>,
    /// `sw_if_index` and hardware address of VPP interfaces that correspond to the kernel interface
    /// of this name if it has the same address.
    pub same_mac: AHashMap<String, (u32, HardwareAddress)>,
    /// What to do with the others.
    pub unmapped: Unmapped,
    /// What to install for a route that VPP cannot have.
    pub fallback: Fallback,
    /// Whether to install the resolvable next hops of a partly resolvable route.
    pub skip_next_hops: bool,
}

/// The attributes of a kernel link that decide about routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name (`IFLA_IFNAME`).
    pub name: String,
    /// `IFF_UP`.
    pub up: bool,
    /// `IFF_RUNNING` or `IFF_LOWER_UP`.
    pub carrier: bool,
    /// Its hardware address (`IFLA_ADDRESS`), if it is an Ethernet address.
    pub address: Option<HardwareAddress>,
    /// The routing table of a VRF device: what is sent to it is looked up again there.
    pub vrf_table: Option<u32>,
}

impl Interfaces {
    /// The `sw_if_index` that corresponds to a link. An equal name alone is no evidence: both ends
    /// of a tap made by VPP have the same name.
    #[must_use]
    pub fn of(&self, link: &Link) -> Option<u32> {
        let known = self.map.get(&link.name).copied();
        known.or_else(|| {
            let (sw_if_index, address) = self.same_mac.get(&link.name)?;
            (link.address == Some(*address)).then_some(*sw_if_index)
        })
    }
}
