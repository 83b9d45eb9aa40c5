//! Why the best route of a mirrored protocol is not in VPP.

use crate::route::Path;

/// Why a route is not in VPP although it is the best of a mirrored protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Held {
    /// Its interface has no counterpart in VPP yet: it goes in when one appears.
    NoInterface(u32),
    /// Its next-hop object is not known yet.
    UnknownNextHop(u32),
    /// None of its next hops can be used now: interfaces down or legs dead.
    NoUsableNextHop,
    /// Its type has no counterpart in VPP (`RTN_LOCAL`, `RTN_THROW`, …).
    RouteType(u8),
    /// It uses an encapsulation that is not MPLS.
    Encapsulation(u16),
    /// It pushes labels and has no gateway: VPP 26.10 crashes on such a path.
    LabelsWithoutGateway,
    /// It pushes more labels than a message has places for.
    TooManyLabels(usize),
    /// It is for packets with this type of service alone; VPP's FIB knows none.
    TypeOfService(u8),
    /// It has more next hops than a message has places for.
    TooManyNextHops(usize),
    /// VPP has as many prefixes as it shall have ([`Limit`](super::Limit)).
    OverLimit,
    /// VPP ended over it, more than once ([`Table::suspect`](super::Table::suspect)).
    EndedVpp,
    /// This VPP does not survive a drop of this prefix outside table 0, in no form.
    VppFault,
}

impl Held {
    /// The reason's name in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Held::NoInterface(_) => "no_interface",
            Held::UnknownNextHop(_) => "unknown_next_hop",
            Held::NoUsableNextHop => "no_usable_next_hop",
            Held::RouteType(_) => "route_type",
            Held::Encapsulation(_) => "encapsulation",
            Held::LabelsWithoutGateway => "labels_without_gateway",
            Held::TooManyLabels(_) => "too_many_labels",
            Held::TypeOfService(_) => "type_of_service",
            Held::TooManyNextHops(_) => "too_many_next_hops",
            Held::OverLimit => "over_limit",
            Held::EndedVpp => "ended_vpp",
            Held::VppFault => "vpp_fault",
        }
    }
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Held::NoInterface(index) => {
                write!(
                    f,
                    "no VPP interface stands for the kernel's interface {index}"
                )
            }
            Held::UnknownNextHop(id) => write!(f, "next-hop object {id} is not known yet"),
            Held::NoUsableNextHop => f.write_str("none of its next hops can be used now"),
            Held::RouteType(number) => write!(f, "route type {number} has no counterpart in VPP"),
            Held::Encapsulation(number) => write!(f, "encapsulation {number} is not mirrored"),
            Held::LabelsWithoutGateway => {
                f.write_str("it pushes labels and has no gateway, which VPP does not survive")
            }
            Held::TooManyLabels(count) => {
                write!(
                    f,
                    "{count} labels, VPP's message holds {}",
                    Path::MAX_LABELS
                )
            }
            Held::TypeOfService(tos) => {
                write!(f, "it is for packets with TOS {tos} alone")
            }
            Held::EndedVpp => f.write_str(
                "VPP ended each time it was sent: `bgpreflector release` lets it in again",
            ),
            Held::VppFault => f.write_str(
                "a drop of this prefix in a table other than 0 ends VPP before 24.10: use a newer one",
            ),
            Held::OverLimit => f.write_str("VPP has as many prefixes as kernel.max_routes allows"),
            Held::TooManyNextHops(count) => {
                write!(
                    f,
                    "{count} next hops, VPP's message holds {}",
                    Path::MAX_PATHS
                )
            }
        }
    }
}
