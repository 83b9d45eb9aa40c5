//! The kernel's numbers, under the kernel's names.

/// `linux/netlink.h`
pub const NLMSG_NOOP: u16 = 1;
/// `linux/netlink.h`
pub const NLMSG_ERROR: u16 = 2;
/// `linux/netlink.h`
pub const NLMSG_DONE: u16 = 3;
/// `linux/netlink.h`
pub const NLMSG_OVERRUN: u16 = 4;

/// `linux/netlink.h`
pub const NLM_F_REQUEST: u16 = 0x1;
/// `linux/netlink.h`
pub const NLM_F_DUMP_INTR: u16 = 0x10;
/// `linux/netlink.h`
pub const NLM_F_DUMP: u16 = 0x300;
/// `linux/netlink.h`, in `RTM_NEWROUTE`
pub const NLM_F_REPLACE: u16 = 0x100;
/// `linux/netlink.h`, in `RTM_NEWROUTE`
pub const NLM_F_APPEND: u16 = 0x800;
/// `linux/netlink.h`, in `NLMSG_ERROR`: only the request's header is repeated.
pub const NLM_F_CAPPED: u16 = 0x100;
/// `linux/netlink.h`, in `NLMSG_ERROR`: attributes follow.
pub const NLM_F_ACK_TLVS: u16 = 0x200;
/// `linux/netlink.h`
pub const NLMSGERR_ATTR_MSG: u16 = 1;

/// `linux/netlink.h`: flags in an attribute's type.
pub const NLA_TYPE_MASK: u16 = 0x3fff;

/// `linux/rtnetlink.h`
pub const RTM_NEWLINK: u16 = 16;
/// `linux/rtnetlink.h`
pub const RTM_DELLINK: u16 = 17;
/// `linux/rtnetlink.h`
pub const RTM_GETLINK: u16 = 18;
/// `linux/rtnetlink.h`
pub const RTM_NEWADDR: u16 = 20;
/// `linux/rtnetlink.h`
pub const RTM_DELADDR: u16 = 21;
/// `linux/rtnetlink.h`
pub const RTM_NEWROUTE: u16 = 24;
/// `linux/rtnetlink.h`
pub const RTM_DELROUTE: u16 = 25;
/// `linux/rtnetlink.h`
pub const RTM_GETROUTE: u16 = 26;
/// `linux/rtnetlink.h`
pub const RTM_NEWRULE: u16 = 32;
/// `linux/rtnetlink.h`
pub const RTM_GETRULE: u16 = 34;
/// `linux/rtnetlink.h`
pub const RTM_NEWNEXTHOP: u16 = 104;
/// `linux/rtnetlink.h`
pub const RTM_DELNEXTHOP: u16 = 105;
/// `linux/rtnetlink.h`
pub const RTM_GETNEXTHOP: u16 = 106;

/// `linux/rtnetlink.h`: multicast group of link messages.
pub const RTNLGRP_LINK: u32 = 1;
/// `linux/rtnetlink.h`: multicast group of IPv4 address messages.
pub const RTNLGRP_IPV4_IFADDR: u32 = 5;
/// `linux/rtnetlink.h`: multicast group of IPv6 address messages.
pub const RTNLGRP_IPV6_IFADDR: u32 = 9;
/// `linux/rtnetlink.h`: multicast group of IPv4 route messages.
pub const RTNLGRP_IPV4_ROUTE: u32 = 7;
/// `linux/rtnetlink.h`: multicast group of IPv6 route messages.
pub const RTNLGRP_IPV6_ROUTE: u32 = 11;
/// `linux/rtnetlink.h`: multicast group of next-hop object messages.
pub const RTNLGRP_NEXTHOP: u32 = 32;
/// `linux/rtnetlink.h`
pub const RTNLGRP_MPLS_ROUTE: u32 = 27;

/// `linux/rtnetlink.h`: a route the kernel cached for itself.
pub const RTM_F_CLONED: u32 = 0x200;
/// `linux/rtnetlink.h`: who forwards has the route.
pub const RTM_F_OFFLOAD: u32 = 0x4000;
/// `linux/rtnetlink.h`: who forwards has refused the route.
pub const RTM_F_OFFLOAD_FAILED: u32 = 0x2000_0000;

/// `linux/rtnetlink.h`
pub const RTA_DST: u16 = 1;
/// `linux/rtnetlink.h`: the sources that an IPv6 route is for.
pub const RTA_SRC: u16 = 2;
/// `linux/rtnetlink.h`
pub const RTA_OIF: u16 = 4;
/// `linux/rtnetlink.h`
pub const RTA_GATEWAY: u16 = 5;
/// `linux/rtnetlink.h`
pub const RTA_PRIORITY: u16 = 6;
/// `linux/rtnetlink.h`
pub const RTA_PREFSRC: u16 = 7;
/// `linux/rtnetlink.h`
pub const RTA_METRICS: u16 = 8;
/// `linux/rtnetlink.h`
pub const RTA_MULTIPATH: u16 = 9;
/// `linux/rtnetlink.h`: the realm (`tclassid`) of an IPv4 next hop.
pub const RTA_FLOW: u16 = 11;
/// `linux/rtnetlink.h`: `struct rta_cacheinfo`.
pub const RTA_CACHEINFO: u16 = 12;
/// `linux/rtnetlink.h`
pub const RTA_TABLE: u16 = 15;
/// `linux/rtnetlink.h`
pub const RTA_VIA: u16 = 18;
/// `linux/rtnetlink.h`
pub const RTA_NEWDST: u16 = 19;
/// `linux/rtnetlink.h`: the router preference of an IPv6 route (RFC 4191).
pub const RTA_PREF: u16 = 20;
/// `linux/rtnetlink.h`
pub const RTA_ENCAP_TYPE: u16 = 21;
/// `linux/rtnetlink.h`
pub const RTA_ENCAP: u16 = 22;
/// `linux/rtnetlink.h`
pub const RTA_NH_ID: u16 = 30;

/// `linux/icmpv6.h`: values of [`RTA_PREF`].
pub const ICMPV6_ROUTER_PREF_HIGH: u8 = 1;
/// `linux/icmpv6.h`
pub const ICMPV6_ROUTER_PREF_LOW: u8 = 3;

/// `linux/rtnetlink.h`
pub const RTN_UNICAST: u8 = 1;
/// `linux/rtnetlink.h`
pub const RTN_BLACKHOLE: u8 = 6;
/// `linux/rtnetlink.h`
pub const RTN_UNREACHABLE: u8 = 7;
/// `linux/rtnetlink.h`
pub const RTN_PROHIBIT: u8 = 8;

/// `linux/rtnetlink.h`: the next hop cannot be used now.
pub const RTNH_F_DEAD: u8 = 1;
/// `linux/rtnetlink.h`: the gateway is forced on the link.
pub const RTNH_F_ONLINK: u8 = 4;

/// `linux/lwtunnel.h`
pub const LWTUNNEL_ENCAP_MPLS: u16 = 1;
/// `linux/mpls_iptunnel.h`
pub const MPLS_IPTUNNEL_DST: u16 = 1;

/// `linux/if_link.h`
pub const IFLA_ADDRESS: u16 = 1;
/// `linux/if_link.h`
pub const IFLA_IFNAME: u16 = 3;
/// `linux/if_link.h`
pub const IFLA_LINKINFO: u16 = 18;
/// `linux/if_link.h`
pub const IFLA_INFO_KIND: u16 = 1;
/// `linux/if_link.h`
pub const IFLA_INFO_DATA: u16 = 2;
/// `linux/if_link.h`
pub const IFLA_VRF_TABLE: u16 = 1;
/// `linux/if.h`
pub const IFF_UP: u32 = 1;
/// `linux/if.h`
pub const IFF_RUNNING: u32 = 1 << 6;
/// `linux/if.h`
pub const IFF_LOWER_UP: u32 = 1 << 16;

/// `linux/nexthop.h`
pub const NHA_ID: u16 = 1;
/// `linux/nexthop.h`
pub const NHA_GROUP: u16 = 2;
/// `linux/nexthop.h`
pub const NHA_BLACKHOLE: u16 = 4;
/// `linux/nexthop.h`
pub const NHA_OIF: u16 = 5;
/// `linux/nexthop.h`
pub const NHA_GATEWAY: u16 = 6;
/// `linux/nexthop.h`
pub const NHA_ENCAP_TYPE: u16 = 7;
/// `linux/nexthop.h`
pub const NHA_ENCAP: u16 = 8;
/// `linux/nexthop.h`
pub const NHA_FDB: u16 = 11;
/// `linux/nexthop.h`
pub const NHA_OP_FLAGS: u16 = 14;
/// `linux/nexthop.h`, in `NHA_OP_FLAGS` of an answer: what `struct nexthop_grp` reserves is zero.
pub const NHA_OP_FLAG_RESP_GRP_RESVD_0: u32 = 1 << 31;

/// `linux/rtnetlink.h`: bytes of `struct rtmsg`.
pub const RTMSG: usize = 12;

/// `AF_MPLS`
pub const AF_MPLS: u8 = 28;
/// `AF_UNSPEC`
pub const AF_UNSPEC: u8 = 0;

/// `linux/fib_rules.h`: bytes of `struct fib_rule_hdr`
pub const FIB_RULE_HDR: usize = 12;
/// `linux/fib_rules.h`
pub const FR_ACT_TO_TBL: u8 = 1;
/// `linux/fib_rules.h`
pub const FRA_SRC: u16 = 2;
/// `linux/fib_rules.h`
pub const FRA_IIFNAME: u16 = 3;
/// `linux/fib_rules.h`
pub const FRA_PRIORITY: u16 = 6;
/// `linux/fib_rules.h`
pub const FRA_FWMARK: u16 = 10;
/// `linux/fib_rules.h`
pub const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
/// `linux/fib_rules.h`
pub const FRA_TABLE: u16 = 15;
/// `linux/fib_rules.h`
pub const FRA_FWMASK: u16 = 16;
/// `linux/fib_rules.h`
pub const FRA_OIFNAME: u16 = 17;
/// `linux/fib_rules.h`
pub const FRA_PAD: u16 = 18;
/// `linux/fib_rules.h`
pub const FRA_L3MDEV: u16 = 19;
/// `linux/fib_rules.h`
pub const FRA_PROTOCOL: u16 = 21;
