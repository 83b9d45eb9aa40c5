//! The rtnetlink decoder and the requests to the kernel: from bytes to [`route`](crate::route)
//! values and back, without I/O.

mod address;
mod attributes;
pub mod constants;
mod digest;
mod error;
mod link;
mod message;
mod next_hop;
mod nexthop_object;
mod request;
mod route;
mod rule;

pub use address::AddressMessage;
pub use error::{DecodeError, DecodeErrorKind, SkipReason};
pub use link::{HardwareAddress, LinkMessage};
pub use message::{
    Action, Header, Message, Messages, PartialMessage, Payload, RawMessage, RawMessages,
};
pub use nexthop_object::NextHopMessage;
pub(crate) use request::{Request, attribute};
pub use request::{RouteDump, link_dump, next_hop_dump, route_lookup, rule_dump};
pub use route::{EncodedRoute, RouteMessage, SourceRouteMessage};
pub use rule::{Holds, RuleMessage};
