//! Paths: a next-hop set in VPP's terms.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::{Family, Label};

/// What VPP does with a packet on a path, by its number of `fib_path_type` in VPP's
/// `fib_types.api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathType {
    /// `FIB_API_PATH_TYPE_NORMAL`: forwarded.
    Normal = 0,
    /// `FIB_API_PATH_TYPE_LOCAL`: VPP delivers the packet locally, to a listener or to the kernel
    /// (linux-cp).
    Local = 1,
    /// `FIB_API_PATH_TYPE_DROP`.
    Drop = 2,
    /// `FIB_API_PATH_TYPE_ICMP_UNREACH`.
    IcmpUnreach = 5,
    /// `FIB_API_PATH_TYPE_ICMP_PROHIBIT`.
    IcmpProhibit = 6,
}

impl PathType {
    /// The number in VPP's API.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The type of a number; none for one that no route of ours has.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Normal),
            1 => Some(Self::Local),
            2 => Some(Self::Drop),
            5 => Some(Self::IcmpUnreach),
            6 => Some(Self::IcmpProhibit),
            _ => None,
        }
    }

    /// As it is shown: VPP's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Local => "local",
            Self::Drop => "drop",
            Self::IcmpUnreach => "icmp-unreach",
            Self::IcmpProhibit => "icmp-prohibit",
        }
    }

    /// Whether the packet is dropped, with a message to its sender or without.
    #[must_use]
    pub const fn drops(self) -> bool {
        !matches!(self, Self::Normal | Self::Local)
    }
}

/// One path of a VPP route (`vl_api_fib_path_t` in VPP's `fib_types.api`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// What happens to a packet.
    pub path_type: PathType,
    /// Family of the next hop (`FIB_API_PATH_NH_PROTO_IP4` or `_IP6`).
    pub family: Family,
    /// Address of the next hop; none on an attached (device-only) or a special path, nor on one
    /// without an interface, which looks the packet's destination up in `table`.
    pub next_hop: Option<IpAddr>,
    /// VPP interface, [`Path::NO_INTERFACE`] if VPP's own FIB resolves it.
    pub sw_if_index: u32,
    /// VPP table of the lookup when there is no interface.
    pub table: u32,
    /// Share of the traffic, 1 to 255.
    pub weight: u8,
    /// Preference, lower is better; paths of higher numbers are backups.
    pub preference: u8,
    /// MPLS labels pushed, outermost first; at most [`Path::MAX_LABELS`].
    pub labels: SmallVec<[Label; 2]>,
}

impl Path {
    /// `sw_if_index` of a path without an interface.
    pub const NO_INTERFACE: u32 = u32::MAX;
    /// Labels that fit in a path on the wire.
    pub const MAX_LABELS: usize = 16;
    /// Maximum number of paths in one message (`n_paths` is a u8).
    pub const MAX_PATHS: usize = 255;

    /// A path without a next hop, an interface and labels.
    #[must_use]
    pub fn new(path_type: PathType, family: Family) -> Self {
        Self {
            path_type,
            family,
            next_hop: None,
            sw_if_index: Self::NO_INTERFACE,
            table: 0,
            weight: 1,
            preference: 0,
            labels: SmallVec::new(),
        }
    }

    /// The table in which the packet's destination is looked up again
    /// (`FIB_ROUTE_PATH_DEAG` in VPP's `fib_types.h`); none for any other path.
    #[must_use]
    pub fn looks_up_in(&self) -> Option<(Family, u32)> {
        let again = self.path_type == PathType::Normal
            && self.next_hop.is_none()
            && self.sw_if_index == Self::NO_INTERFACE;
        again.then_some((self.family, self.table))
    }
}

/// The paths of one VPP route, sorted: equal sets compare equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathSet(Box<[Path]>);

impl PathSet {
    /// Creates a set; the order of `paths` does not matter.
    #[must_use]
    pub fn new(mut paths: Vec<Path>) -> Self {
        paths.sort_unstable();
        Self(paths.into_boxed_slice())
    }

    /// The paths in their canonical order.
    #[must_use]
    pub fn paths(&self) -> &[Path] {
        &self.0
    }

    /// Whether VPP forwards any packet by it.
    #[must_use]
    pub fn forwards(&self) -> bool {
        self.0.iter().any(|path| path.path_type == PathType::Normal)
    }
}
