//! VPP's binary API over its socket, as pure bytes: frames, message names, the route messages,
//! the handshake, the matching of replies, and what an error code asks for.
//!
//! Layouts follow VPP's `.api` files (named at each type): big-endian, packed, every message
//! led by its u16 id. Ids differ from one VPP to the next and come from the handshake's
//! [`MessageTable`]; layouts are tied to the CRC in the message's name ([`messages`]).
//!
//! `encode` functions write a whole frame, socket header included. `decode` functions take one
//! message as [`FrameReader`] hands it out, id included, and accept nothing longer or shorter.

pub mod address;
pub mod bytes;
pub mod canonical;
pub mod empty_request;
pub mod encoded_paths;
pub mod error;
pub mod faults;
pub mod frame;
pub mod handshake;
pub mod in_flight;
pub mod ip_route;
pub mod keepalive;
pub mod message_table;
pub mod messages;
pub mod path;
pub mod retval;
pub mod route;
pub mod route_dump;
pub mod sources;
pub mod tables;

pub use empty_request::{EmptyRequest, PlainReply};
pub use encoded_paths::{EncodedPaths, PathBytes};
pub use error::{FrameError, MessageError, WireError};
pub use faults::Faults;
pub use frame::{FrameReader, FrameStart, begin_frame};
pub use handshake::{SockclntCreate, SockclntCreateReply, SockclntDelete};
pub use in_flight::{Pending, UnexpectedReply};
pub use ip_route::{IpRoute, RouteVersion};
pub use keepalive::ControlPingReply;
pub use message_table::MessageTable;
pub use messages::MessageName;
pub use retval::{Disposition, Retval};
pub use route::{RouteAddDel, RouteEncoder, RouteReply};
pub use route_dump::{RouteDetails, RouteDump, RouteLookup, RouteLookupReply};
pub use sources::{FibSource, FibSourceAdd, FibSourceAddReply, FibSourceDetails};
pub use tables::{IpTable, IpTableAddDel, IpTableDetails};
