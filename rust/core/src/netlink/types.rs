//! What the messages say, decoded.

use smallvec::SmallVec;

use super::error::SkipReason;
use crate::route::{HardwareAddress, Label, LabelRoute, NextHop, Prefix, Route};

/// Whether something comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `RTM_NEW…`: added or changed.
    New,
    /// `RTM_DEL…`: removed.
    Delete,
}

/// A message's payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A route comes or goes.
    Route(RouteMessage),
    /// A source-specific route comes or goes; boxed, since they are rare.
    SourceSpecific(Box<SourceSpecificMessage>),
    /// A route by MPLS label comes or goes; boxed, since they are rare.
    LabelRoute(Box<LabelRouteMessage>),
    /// A link was added, changed or removed.
    Link(Box<LinkMessage>),
    /// An address was added, changed or removed.
    Address {
        /// Interface index.
        interface: u32,
    },
    /// A next-hop object was added, changed or removed.
    NextHop(NextHopMessage),
    /// A policy rule.
    Rule(RuleMessage),
    /// The end of a dump: 0, or a negative error number.
    Done(i32),
    /// The answer to a request: 0, or a negative error number and the kernel's text.
    Error {
        /// 0 or negative.
        errno: i32,
        /// `NLMSGERR_ATTR_MSG`.
        text: Option<Box<str>>,
    },
    /// `NLMSG_OVERRUN`: messages were lost.
    Overrun,
    /// `NLMSG_NOOP`.
    Noop,
    /// An ignored message, and the reason.
    Skipped(SkipReason),
}

/// `RTM_NEWROUTE` or `RTM_DELROUTE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMessage {
    /// Whether it comes or goes.
    pub action: Action,
    /// The route; a withdrawal of an IPv6 route may name only the next hops that are removed.
    pub route: Route,
}

/// A source-specific IPv6 route: for packets from some addresses only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpecificMessage {
    /// These addresses (`RTA_SRC`).
    pub source: Prefix,
    /// Whether its lifetime has ended.
    pub expired: bool,
    /// The rest.
    pub message: RouteMessage,
}

/// A route by MPLS label (`AF_MPLS`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRouteMessage {
    /// Whether it comes or goes.
    pub action: Action,
    /// The label (`RTA_DST`).
    pub label: Label,
    /// The rest; a withdrawal may have no next hops.
    pub route: LabelRoute,
}

/// `RTM_NEWLINK` or `RTM_DELLINK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMessage {
    /// Whether it was added (or changed) or removed.
    pub action: Action,
    /// Interface index.
    pub index: u32,
    /// Name (`IFLA_IFNAME`).
    pub name: Option<Box<str>>,
    /// `IFF_UP`: set up by an administrator.
    pub up: bool,
    /// `IFF_RUNNING` or `IFF_LOWER_UP`: without either the kernel drops next-hop objects.
    pub carrier: bool,
    /// Hardware address (`IFLA_ADDRESS`), if it is an Ethernet address and not all zeros.
    pub address: Option<HardwareAddress>,
    /// The routing table of a VRF device (`IFLA_VRF_TABLE`).
    pub vrf_table: Option<u32>,
}

/// `RTM_NEWNEXTHOP` or `RTM_DELNEXTHOP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHopMessage {
    /// Whether it was added (or changed) or removed.
    pub action: Action,
    /// `NHA_ID`.
    pub id: u32,
    /// The next hop, unless it is a group or a blackhole.
    pub next_hop: Option<NextHop>,
    /// `NHA_BLACKHOLE`.
    pub blackhole: bool,
    /// Whether it is a group.
    pub is_group: bool,
    /// `NHA_GROUP`: ids and weights, 1 to 65,536.
    pub group: SmallVec<[(u32, u32); 4]>,
    /// `NHA_FDB`: for a bridge's forwarding database, not for routes.
    pub fdb: bool,
}

/// `RTM_NEWRULE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleMessage {
    /// The table that the rule selects; none if it has another action: an error, or another rule.
    pub table: Option<u32>,
    /// Which lookups it applies to.
    pub matches: RuleMatch,
}

/// Which lookups a rule applies to, among those with an address only: no mark, no source, no
/// interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleMatch {
    /// All, and every route of its table.
    Always,
    /// Some, or not every route.
    Sometimes,
    /// None.
    Never,
}
