//! Paths as VPP accepts them from a client, sorts them, and shows them.
//!
//! Modelled on `fib_api_path_decode` and `fib_api_path_encode` in VPP's `fib_api.c`,
//! `fib_path_create`, `fib_path_cmp_for_sort` and `fib_path_encode` in `fib_path.c`. Supports all
//! types of path that VPP resolves by itself, and refuses those that need an object of another
//! feature.

use bgpreflector_core::route::{Family, Path, PathType, Prefix};
use bgpreflector_core::vpp::WireError;
use bgpreflector_core::vpp::address::address_union;
use bgpreflector_core::vpp::bytes::Reader;
use bgpreflector_core::vpp::path::PATH_LENGTH;
use smallvec::SmallVec;

use crate::retval;

/// `sw_if_index` of a path without an interface.
pub(crate) const NO_INTERFACE: u32 = Path::NO_INTERFACE;
/// `FIB_API_PATH_TYPE_DROP`
pub(crate) const DROP: u32 = PathType::Drop.number();
const LABELS: usize = 16;
const LABEL_LENGTH: usize = 7;
const NH_PROTO_IP6: u32 = 1;

/// `fib_path_type_t`, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FibPathType {
    AttachedNextHop,
    Attached,
    Recursive,
    /// With this `FIB_API_PATH_TYPE_`: drop, ICMP unreachable or prohibited.
    Special(u32),
    Exclusive,
    Deag,
    InterfaceRx,
    Receive,
    Dvr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    label: u32,
    ttl: u8,
    exp: u8,
}

/// A path. Fields that its type does not use are unset.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ApiPath {
    pub(crate) path_type: FibPathType,
    /// `FIB_API_PATH_NH_PROTO_`
    pub(crate) protocol: u32,
    pub(crate) sw_if_index: u32,
    pub(crate) table: u32,
    pub(crate) weight: u8,
    pub(crate) preference: u8,
    /// As in `vl_api_address_union_t`.
    pub(crate) address: [u8; 16],
    pub(crate) labels: SmallVec<[Label; 1]>,
}

/// The identity of a path (`fib_path_cmp_i`): type, protocol, and address, interface or table,
/// depending on the type. Weight and preference do not matter.
pub(crate) type Identity = (u8, u32, [u8; 16], u32);

impl ApiPath {
    pub(crate) fn new(path_type: FibPathType, family: Family) -> Self {
        Self {
            path_type,
            protocol: u32::from(family == Family::V6),
            sw_if_index: NO_INTERFACE,
            table: 0,
            weight: 1,
            preference: 0,
            address: [0; 16],
            labels: SmallVec::new(),
        }
    }

    /// Decodes a request's path; VPP's return code if VPP refuses it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, i32> {
        let mut reader = Reader::new("fib_path", bytes);
        let path = Self::read(&mut reader);
        path.unwrap_or(Err(retval::INVALID_VALUE))
    }

    fn read(reader: &mut Reader<'_>) -> Result<Result<Self, i32>, WireError> {
        let (sw_if_index, table, _rpf_id) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let (weight, preference) = (reader.u8()?, reader.u8()?);
        let (api_type, _flags, protocol) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let address = address_of(protocol, reader.array()?);
        let _other_types: [u8; 12] = reader.array()?;
        let labels = read_labels(reader)?;
        let bare = Self {
            path_type: FibPathType::Special(api_type),
            protocol,
            sw_if_index: NO_INTERFACE,
            table: 0,
            weight: weight.max(1),
            preference,
            address: [0; 16],
            labels,
        };
        let over = |path_type| Self {
            path_type,
            sw_if_index,
            ..bare.clone()
        };
        Ok(match api_type {
            _ if protocol > 4 => Err(retval::UNSPECIFIED),
            0 | 7 => bare.normal(sw_if_index, table, address),
            1 => Ok(over(FibPathType::Receive)),
            2 | 5 | 6 => Ok(bare),
            8 => Ok(over(FibPathType::Dvr)),
            9 => Ok(over(FibPathType::InterfaceRx)),
            10 => Err(retval::NO_SUCH_TABLE),
            _ => Err(retval::UNIMPLEMENTED),
        })
    }

    /// `FIB_API_PATH_TYPE_NORMAL`, and `_SOURCE_LOOKUP`, which VPP shows like it.
    fn normal(mut self, sw_if_index: u32, table: u32, address: [u8; 16]) -> Result<Self, i32> {
        let addressed = address != [0; 16];
        self.path_type = match (self.protocol, sw_if_index) {
            (0 | NH_PROTO_IP6, NO_INTERFACE) if addressed => FibPathType::Recursive,
            (0 | NH_PROTO_IP6, NO_INTERFACE) => FibPathType::Deag,
            (0 | NH_PROTO_IP6, _) if addressed => FibPathType::AttachedNextHop,
            (0 | NH_PROTO_IP6, _) | (3, _) => FibPathType::Attached,
            // Bit-indexed replication has its own tables, which do not exist here.
            (4, _) => return Err(retval::NO_SUCH_FIB),
            _ => return Err(retval::UNIMPLEMENTED),
        };
        self.sw_if_index = sw_if_index;
        self.address = address;
        if sw_if_index == NO_INTERFACE {
            self.table = table;
        }
        Ok(self)
    }

    /// The interface that must be there.
    pub(crate) fn interface(&self) -> Option<u32> {
        Some(self.sw_if_index).filter(|index| *index != NO_INTERFACE)
    }

    /// The table that must be there, to look the next hop up.
    pub(crate) fn lookup_table(&self) -> Option<(u32, Family)> {
        let looks_up = matches!(self.path_type, FibPathType::Recursive | FibPathType::Deag);
        looks_up.then_some((self.table, self.family()))
    }

    fn family(&self) -> Family {
        match self.protocol {
            NH_PROTO_IP6 => Family::V6,
            _ => Family::V4,
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        let (rank, address, number) = match self.path_type {
            FibPathType::AttachedNextHop => (0, self.address, self.sw_if_index),
            FibPathType::Attached => (1, [0; 16], self.sw_if_index),
            FibPathType::Recursive => (2, self.address, self.table),
            FibPathType::Special(_) => (3, [0; 16], 0),
            FibPathType::Exclusive => (4, [0; 16], 0),
            FibPathType::Deag => (5, [0; 16], self.table),
            FibPathType::InterfaceRx => (6, [0; 16], self.sw_if_index),
            FibPathType::Receive => (8, [0; 16], 0),
            FibPathType::Dvr => (12, [0; 16], self.sw_if_index),
        };
        (rank, self.protocol, address, number)
    }

    /// What the path becomes in a route of `prefix` (`fib_table_route_path_fixup`): one through
    /// the route itself drops, and a host is reached at its own address.
    pub(crate) fn fixed_up(&self, prefix: &Prefix) -> Option<Self> {
        if self.family() != prefix.family() {
            return None;
        }
        let own = address_union(prefix.address());
        let is_host = prefix.length() == prefix.family().bits();
        match self.path_type {
            FibPathType::Recursive if self.address == own => Some(Self {
                path_type: FibPathType::Special(DROP),
                table: 0,
                address: [0; 16],
                ..self.clone()
            }),
            FibPathType::Attached if is_host && self.protocol <= NH_PROTO_IP6 => Some(Self {
                path_type: FibPathType::AttachedNextHop,
                address: own,
                ..self.clone()
            }),
            _ => None,
        }
    }

    /// Appends the 167 bytes in which VPP shows it.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let end = out.len() + PATH_LENGTH;
        for word in [self.sw_if_index, self.table, 0] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        out.extend_from_slice(&[self.weight, self.preference]);
        for word in [self.api_type(), 0, self.protocol] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        out.extend_from_slice(&self.address);
        out.extend_from_slice(&[0; 12]);
        out.push(u8::try_from(self.labels.len()).unwrap_or(u8::MAX));
        for label in &self.labels {
            out.push(0);
            out.extend_from_slice(&label.label.to_be_bytes());
            out.extend_from_slice(&[label.ttl, label.exp]);
        }
        out.resize(end, 0);
    }

    fn api_type(&self) -> u32 {
        match self.path_type {
            FibPathType::Special(api_type) => api_type,
            FibPathType::Receive => 1,
            FibPathType::Dvr => 8,
            FibPathType::InterfaceRx => 9,
            _ => 0,
        }
    }
}

/// The address without what a client left behind it in the union.
fn address_of(protocol: u32, union: [u8; 16]) -> [u8; 16] {
    match (protocol, union) {
        (0, [a, b, c, d, ..]) => [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        (NH_PROTO_IP6, _) => union,
        _ => [0; 16],
    }
}

fn read_labels(reader: &mut Reader<'_>) -> Result<SmallVec<[Label; 1]>, WireError> {
    let count = usize::from(reader.u8()?);
    let mut labels = SmallVec::new();
    for index in 0..LABELS {
        let [_uniform, a, b, c, d, ttl, exp] = reader.array::<LABEL_LENGTH>()?;
        if index < count {
            let label = u32::from_be_bytes([a, b, c, d]);
            labels.push(Label { label, ttl, exp });
        }
    }
    Ok(labels)
}
