//! Next hops and sets of them, as the kernel describes them.

use std::borrow::Cow;
use std::net::IpAddr;

use smallvec::SmallVec;

use super::Family;

/// An MPLS label, 20 bits.
pub type Label = u32;

/// What the kernel does with a matching packet (`rtm_type`, `linux/rtnetlink.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouteType {
    /// `RTN_UNICAST`: forwarded to a next hop.
    Unicast,
    /// `RTN_BLACKHOLE`: dropped silently.
    Blackhole,
    /// `RTN_UNREACHABLE`: dropped, answered with ICMP unreachable.
    Unreachable,
    /// `RTN_PROHIBIT`: dropped, answered with ICMP prohibited.
    Prohibit,
    /// Any other `RTN_` number (local, throw, …): never mirrored, but it takes part in the kernel's
    /// route selection.
    Other(u8),
}

impl RouteType {
    /// As iproute2 names it (`rtnl_rtntype_n2a`).
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            RouteType::Unicast => "unicast",
            RouteType::Blackhole => "blackhole",
            RouteType::Unreachable => "unreachable",
            RouteType::Prohibit => "prohibit",
            RouteType::Other(0) => "none",
            RouteType::Other(2) => "local",
            RouteType::Other(3) => "broadcast",
            RouteType::Other(4) => "anycast",
            RouteType::Other(5) => "multicast",
            RouteType::Other(9) => "throw",
            RouteType::Other(10) => "nat",
            RouteType::Other(11) => "xresolve",
            RouteType::Other(number) => return Cow::Owned(format!("type {number}")),
        })
    }
}

/// One next hop of a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NextHop {
    /// Address to send to (`RTA_GATEWAY`, or `RTA_VIA` whose family may differ from the route's);
    /// none for a route through a device only.
    pub gateway: Option<IpAddr>,
    /// Output interface (`RTA_OIF` or `rtnh_ifindex`), 0 if the kernel names none.
    pub interface: u32,
    /// Weight in the set, 1 to 65,536 (`rtnh_hops` + 1, or `nexthop_grp.weight` + 1).
    pub weight: u32,
    /// `RTNH_F_ONLINK`: the gateway is treated as directly reachable through the interface.
    pub onlink: bool,
    /// `RTNH_F_DEAD`: currently unused. The kernel changes it without a message.
    pub dead: bool,
    /// MPLS labels pushed, outermost first (`RTA_ENCAP` of type `LWTUNNEL_ENCAP_MPLS`).
    pub labels: SmallVec<[Label; 2]>,
    /// `RTA_ENCAP_TYPE` of an encapsulation that cannot be mirrored (anything but MPLS), else 0.
    pub encapsulation: u16,
    /// Further attributes by which the kernel distinguishes next hops (`nh_comp`,
    /// `rt6_duplicate_nexthop`): a digest of `RTA_FLOW` and of an encapsulation's attributes other
    /// than labels; 0 if there are none.
    pub digest: u32,
}

impl NextHop {
    /// A next hop with weight 1 and neither flags nor labels.
    #[must_use]
    pub fn new(gateway: Option<IpAddr>, interface: u32) -> Self {
        Self {
            gateway,
            interface,
            weight: 1,
            onlink: false,
            dead: false,
            labels: SmallVec::new(),
            encapsulation: 0,
            digest: 0,
        }
    }
}

/// Which of several IPv6 routes of one metric the kernel prefers (`RTA_PREF`, RFC 4191); the
/// greater one wins (`rt6_score_route`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouterPreference {
    /// `ICMPV6_ROUTER_PREF_LOW`
    Low,
    /// `ICMPV6_ROUTER_PREF_MEDIUM`, also for IPv4 routes.
    #[default]
    Medium,
    /// `ICMPV6_ROUTER_PREF_HIGH`
    High,
}

/// Where a route's next hops are defined.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NextHopSource {
    /// In the route itself, in the kernel's order.
    Inline(SmallVec<[NextHop; 1]>),
    /// In the next-hop object with this id (`RTA_NH_ID`).
    Object(u32),
}

/// What a route does with packets: the part that many routes share, stored once.
///
/// The family is part of it because a device-only next hop differs between the families.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NextHopSet {
    /// Family of the routes that use the set.
    pub family: Family,
    /// What happens to a packet.
    pub route_type: RouteType,
    /// The next hops; unused unless the type is unicast.
    pub next_hops: NextHopSource,
    /// The router preference, which decides between IPv6 routes of one key.
    pub preference: RouterPreference,
    /// Further attributes by which the kernel distinguishes IPv4 routes of one key without effect
    /// on forwarding (`fib_find_info`): a digest of `rtm_scope`, `RTA_PREFSRC` and `RTA_METRICS`; 0
    /// if there are none.
    pub digest: u32,
}

impl NextHopSet {
    /// A set with default attributes: medium preference, no digest.
    #[must_use]
    pub fn new(family: Family, route_type: RouteType, next_hops: NextHopSource) -> Self {
        Self {
            family,
            route_type,
            next_hops,
            preference: RouterPreference::default(),
            digest: 0,
        }
    }

    /// The id of the next-hop object that it names instead of next hops.
    #[inline]
    #[must_use]
    pub const fn object(&self) -> Option<u32> {
        match self.next_hops {
            NextHopSource::Object(id) => Some(id),
            NextHopSource::Inline(_) => None,
        }
    }
}

/// Bytes that determine a [`NextHopSet`]: equal bytes mean equal sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetBytes<'a> {
    /// Family, `rtm_type`, `rtm_scope` (of IPv6, which has none, the router preference) and the low
    /// byte of `rtm_flags`.
    pub head: u32,
    /// The attributes, as the kernel wrote them.
    pub attributes: &'a [u8],
}
