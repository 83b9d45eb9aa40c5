//! VPP's binary API over its socket, without I/O: frames, message names, route messages, handshake,
//! matching of replies, and the reaction to an error code.
//!
//! Layouts follow VPP's `.api` files (named at each type): big-endian, packed, each message
//! preceded by its u16 id. Ids differ between VPP instances and come from the handshake's
//! [`MessageTable`]; layouts are tied to the CRC in the message's name ([`messages`]).
//!
//! `encode` functions write a whole frame, including the socket header. `decode` functions take one
//! message as [`FrameReader`] returns it, including the id, and accept only its exact length.

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
pub use in_flight::{InFlight, UnexpectedReply};
pub use ip_route::{IpRoute, RouteVersion};
pub use keepalive::ControlPingReply;
pub use message_table::MessageTable;
pub use messages::MessageName;
pub use retval::Retval;
pub use route::{RouteAddDel, RouteEncoder, RouteReply};
pub use route_dump::{RouteDetails, RouteDump, RouteLookup, RouteLookupReply};
pub use sources::{FibSource, FibSourceAdd, FibSourceAddReply, FibSourceDetails};
pub use tables::{IpTable, IpTableAddDel, IpTableDetails};
