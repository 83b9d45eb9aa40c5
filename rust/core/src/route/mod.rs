//! The values used by every stage: prefixes, next hops, next-hop sets, routes, paths.

mod family;
mod hardware_address;
mod label_route;
mod next_hop;
mod path;
mod prefix;
#[expect(
    clippy::module_inception,
    reason = "the route is the value the module is named after"
)]
mod route;

pub use family::Family;
pub use hardware_address::HardwareAddress;
pub use label_route::{LabelHop, LabelRoute};
pub use next_hop::{
    Label, NextHop, NextHopSet, NextHopSource, RouteType, RouterPreference, SetBytes,
};
pub use path::{Path, PathSet, PathType};
pub use prefix::{Prefix, PrefixError};
pub use route::{RTPROT_RA, Route, RouteKey};
