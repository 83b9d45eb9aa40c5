//! What is wrong with a message.

/// A message that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message type {kind} at byte {offset}: {problem}")]
pub struct DecodeError {
    /// `nlmsg_type`, 0 if the header is incomplete.
    pub kind: u16,
    /// The message's offset in the buffer, bytes.
    pub offset: usize,
    /// What is wrong.
    pub problem: DecodeErrorKind,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// `nlmsg_len` is shorter than a header or reaches beyond the buffer.
    #[error("its length {length} does not fit the {left} bytes left")]
    Length {
        /// `nlmsg_len`.
        length: usize,
        /// Bytes from the start of the message to the end of the buffer.
        left: usize,
    },
    /// The message is shorter than the fixed part of its type.
    #[error("it is too short for its {0}")]
    Short(&'static str),
    /// An attribute reaches beyond the message, or is shorter than its own header.
    #[error("an attribute does not fit")]
    AttributeLength,
    /// An attribute's value has the wrong length for its type.
    #[error("attribute {attribute} has {length} bytes")]
    AttributeSize {
        /// Its type.
        attribute: u16,
        /// Its length.
        length: usize,
    },
    /// The prefix is longer than an address.
    #[error("its prefix length is {0}")]
    PrefixLength(u8),
    /// An address of a family that is neither IPv4 nor IPv6.
    #[error("it has an address of family {0}")]
    AddressFamily(u16),
    /// An attribute without which the message makes no sense.
    #[error("it has no {0}")]
    Missing(&'static str),
}

crate::named_enum! {
    /// Why a message is not taken.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum SkipReason {
        /// A message type that is not subscribed to.
        Type = "type",
        /// A route, link or next hop of another family: multicast routing, bridge ports; of MPLS those
        /// that are not listed, as there are too many.
        Family = "family",
        /// `RTM_F_CLONED`: an exception that the kernel caches (path MTU, redirect).
        Cloned = "cloned",
        /// `rtm_src_len`: a source-specific route, where it is not listed either.
        /// As an ordinary route it would attract all packets.
        SourceSpecific = "source_specific",
    }
}
