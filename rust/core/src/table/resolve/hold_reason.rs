//! Reasons why the best route of a mirrored protocol is not in VPP.

use crate::route::{Path, Prefix, RouteType};

/// Why a route is not in VPP although it is the best of a mirrored protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HoldReason {
    /// Its interface has no counterpart in VPP; it is installed when one appears.
    NoInterface(u32),
    /// It leads into the VRF with this routing table, which is not mirrored into VPP.
    VrfTable(u32),
    /// Its next-hop object is not known yet.
    UnknownNextHop(u32),
    /// None of its next hops is usable: interfaces down or next hops dead.
    NoUsableNextHop,
    /// Its type has no counterpart in VPP (`RTN_LOCAL`, `RTN_THROW`, …).
    RouteType(u8),
    /// It uses an encapsulation that is not MPLS.
    Encapsulation(u16),
    /// It pushes labels and has no gateway: VPP 26.10 crashes on such a path.
    LabelsWithoutGateway,
    /// It pushes more labels than fit in a message.
    TooManyLabels(usize),
    /// It applies only to packets with this type of service, which VPP's FIB does not support.
    TypeOfService(u8),
    /// It applies only to packets from this prefix: VPP's FIB looks at no source.
    SourceSpecific(Prefix),
    /// It is by MPLS label.
    MplsRoute,
    /// It has more next hops than fit in a message.
    TooManyNextHops(usize),
    /// The prefix limit is reached ([`Limit`](crate::table::Limit)).
    OverLimit,
    /// It crashed VPP more than once ([`Table::suspect`](crate::table::Table::suspect)).
    CrashedVpp,
    /// A drop of this prefix outside table 0 crashes this VPP in every form.
    VppFault,
}

impl HoldReason {
    /// The reason's name in metrics and listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            HoldReason::NoInterface(_) => "no_interface",
            HoldReason::VrfTable(_) => "vrf_table",
            HoldReason::UnknownNextHop(_) => "unknown_next_hop",
            HoldReason::NoUsableNextHop => "no_usable_next_hop",
            HoldReason::RouteType(_) => "route_type",
            HoldReason::Encapsulation(_) => "encapsulation",
            HoldReason::LabelsWithoutGateway => "labels_without_gateway",
            HoldReason::TooManyLabels(_) => "too_many_labels",
            HoldReason::TypeOfService(_) => "type_of_service",
            HoldReason::SourceSpecific(_) => "source_specific",
            HoldReason::TooManyNextHops(_) => "too_many_next_hops",
            HoldReason::MplsRoute => "mpls_route",
            HoldReason::OverLimit => "over_limit",
            HoldReason::CrashedVpp => "crashed_vpp",
            HoldReason::VppFault => "vpp_fault",
        }
    }
}

impl std::fmt::Display for HoldReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HoldReason::NoInterface(index) => {
                write!(
                    f,
                    "no VPP interface mapped to the kernel's interface {index}"
                )
            }
            HoldReason::VrfTable(table) => write!(
                f,
                "it leads into the VRF of table {table}, which is not mirrored: add it to kernel.tables"
            ),
            HoldReason::UnknownNextHop(id) => write!(f, "next-hop object {id} is not known yet"),
            HoldReason::NoUsableNextHop => f.write_str("none of its next hops can be used now"),
            HoldReason::RouteType(number) => write!(
                f,
                "a {} route has no counterpart in VPP",
                RouteType::Other(*number).name()
            ),
            HoldReason::Encapsulation(number) => write!(f, "encapsulation {number} is not mirrored"),
            HoldReason::LabelsWithoutGateway => {
                f.write_str("it pushes labels and has no gateway, which crashes VPP")
            }
            HoldReason::TooManyLabels(count) => {
                write!(
                    f,
                    "{count} labels, VPP's message holds {}",
                    Path::MAX_LABELS
                )
            }
            HoldReason::TypeOfService(tos) => {
                write!(f, "it applies to packets with TOS {tos} only")
            }
            HoldReason::SourceSpecific(source) => {
                write!(f, "it applies to packets from {source} only")
            }
            HoldReason::MplsRoute => f.write_str("MPLS routes are not mirrored"),
            HoldReason::CrashedVpp => f.write_str(
                "VPP crashed each time it was sent: `bgpreflector release` releases it",
            ),
            HoldReason::VppFault => f.write_str(
                "a drop of this prefix in a table other than 0 crashes VPP before 24.10: upgrade VPP",
            ),
            HoldReason::OverLimit => f.write_str("VPP has as many prefixes as kernel.max_routes allows"),
            HoldReason::TooManyNextHops(count) => {
                write!(
                    f,
                    "{count} next hops, VPP's message holds {}",
                    Path::MAX_PATHS
                )
            }
        }
    }
}
