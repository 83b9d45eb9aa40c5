//! The rtnetlink decoder and the requests to the kernel: from bytes to [`route`](crate::route)
//! values and back, without I/O.

mod address;
mod attributes;
pub mod constants;
mod digest;
mod error;
mod label_route;
mod link;
mod message;
mod multipath;
mod next_hop;
mod nexthop_object;
mod request;
mod route;
mod route_key;
mod route_set;
mod rule;
mod types;

pub use error::{DecodeError, DecodeErrorKind, SkipReason};
pub use message::{Header, Message, Messages, RawMessage, RawMessages};
pub(crate) use request::{Request, attribute};
pub use request::{
    RouteDumpRequest, label_dump, link_dump, next_hop_dump, route_lookup, rule_dump,
};
pub use route::{EncodedRoute, PartialMessage};
pub use types::{
    Action, LabelRouteMessage, LinkMessage, NextHopMessage, Payload, RouteMessage, RuleMatch,
    RuleMessage, SourceSpecificMessage,
};
