//! Errors in bytes from or for VPP.

use std::net::IpAddr;

use crate::route::{Family, Path};

/// The byte stream from VPP cannot be cut into messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The socket header announces a message shorter than an id or longer than the limit.
    #[error(
        "the VPP API stream announced a message of {length} bytes (possible: 2 to {limit}): \
         the stream is out of step; close the connection and connect again"
    )]
    Length {
        /// Bytes announced.
        length: u32,
        /// The most that is accepted.
        limit: u32,
    },
}

/// VPP does not have a message in the form that this program speaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// VPP has no message of the name.
    #[error(
        "this VPP has no message {name} (expected CRC {expected}): it is too old, or the plugin \
         that serves the message is not loaded"
    )]
    Missing {
        /// Name of the message.
        name: &'static str,
        /// CRC of the layout this program speaks.
        expected: &'static str,
    },
    /// VPP has the message with another layout.
    #[error(
        "this VPP's message {name} has the CRC {found} and not {expected}: its layout differs \
         from the one this program writes"
    )]
    Crc {
        /// Name of the message.
        name: &'static str,
        /// CRC of the layout this program speaks.
        expected: &'static str,
        /// CRC of the layout VPP has.
        found: String,
    },
}

/// A message that cannot be read, or a value that does not fit in one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The message ends before its last field.
    #[error("{message}: {length} bytes are too short, a field ends at byte {needed}")]
    Truncated {
        /// The message or type being read.
        message: &'static str,
        /// Bytes there are.
        length: usize,
        /// Bytes needed to read the field that was missing.
        needed: usize,
    },
    /// Bytes follow the message's last field.
    #[error("{message}: {extra} bytes follow the last field")]
    TrailingBytes {
        /// The message or type being read.
        message: &'static str,
        /// How many bytes are left over.
        extra: usize,
    },
    /// `address_family` is neither `ADDRESS_IP4` (0) nor `ADDRESS_IP6` (1).
    #[error("address family {0} is neither IPv4 (0) nor IPv6 (1)")]
    AddressFamily(u8),
    /// A prefix is longer than its address.
    #[error("prefix length {length} exceeds the {} bits of {address}", family.bits())]
    PrefixLength {
        /// The address sent.
        address: IpAddr,
        /// Its family.
        family: Family,
        /// The length sent.
        length: u8,
    },
    /// `fib_path_type` is none of those a [`Path`] can be.
    #[error("FIB path type {0} is neither normal, local, drop, ICMP unreach nor ICMP prohibit")]
    PathType(u32),
    /// `fib_path_nh_proto` is neither IPv4 nor IPv6.
    #[error("FIB path next hop protocol {0} is neither IPv4 (0) nor IPv6 (1)")]
    PathProtocol(u32),
    /// The next hop's family differs from the path's.
    #[error("next hop {next_hop} does not belong to the path's family {family}")]
    NextHopFamily {
        /// Address of the next hop.
        next_hop: IpAddr,
        /// Family of the path.
        family: Family,
    },
    /// More labels than the 16 of a stack.
    #[error("{0} MPLS labels on a path: a VPP path has room for {max}", max = Path::MAX_LABELS)]
    TooManyLabels(usize),
    /// A label that does not fit its 20 bits.
    #[error("MPLS label {0} exceeds 20 bits")]
    LabelValue(u32),
    /// More paths than `n_paths` can count.
    #[error("{0} paths: a VPP route message has room for {max}", max = Path::MAX_PATHS)]
    TooManyPaths(usize),
    /// A text that does not fit its field with the NUL behind it, or has a NUL inside.
    #[error("{text:?} does not fit VPP's {field}: at most {limit} bytes, none of them NUL")]
    Text {
        /// The field.
        field: &'static str,
        /// The text.
        text: String,
        /// The most bytes it can have.
        limit: usize,
    },
}
