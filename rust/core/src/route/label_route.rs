//! Routes by MPLS label, as the kernel or zebra describes them.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::Label;

/// One next hop of a route by label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelHop {
    /// What the label is replaced by, outermost first (`RTA_NEWDST`); nothing: it is popped.
    pub labels: SmallVec<[Label; 2]>,
    /// The address to send to (`RTA_VIA`); none for a route through a device only.
    pub gateway: Option<IpAddr>,
    /// Output interface (`RTA_OIF`), 0 if none is named.
    pub interface: u32,
}

/// What is done with packets of a label. The label itself is its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRoute {
    /// The protocol that installed it (`rtm_protocol`).
    pub protocol: u8,
    /// The next hops.
    pub hops: Vec<LabelHop>,
}
