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
pub mod encoded_paths;
pub mod error;
pub mod frame;
pub mod message_table;
pub mod messages;
pub mod normal_form;
pub mod path;

pub use encoded_paths::{EncodedPaths, PathBytes};
pub use error::{FrameError, MessageError, WireError};
pub use frame::{FrameReader, FrameStart, begin_frame};
pub use message_table::MessageTable;
pub use messages::MessageName;
