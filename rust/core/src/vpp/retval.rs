//! VPP's return codes (`foreach_vnet_error` in VPP's `vnet/error.h`, `VNET_API_ERROR_` in the API):
//! names, texts, and whether it is worth sending the request again.

use std::fmt;

/// A return code: 0 is success, anything below it a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retval(pub i32);

struct Code {
    retval: i32,
    name: &'static str,
    text: &'static str,
    /// VPP will never take this request: report it, and send none until the route changes.
    is_permanent: bool,
}

const fn code(retval: i32, name: &'static str, text: &'static str, is_permanent: bool) -> Code {
    Code {
        retval,
        name,
        text,
        is_permanent,
    }
}

const CODES: &[Code] = {
    const PERMANENT: bool = true;
    const PASSING: bool = false;
    &[
        code(
            i32::MIN,
            "NOT_ENCODABLE",
            "VPP's message has no room for its paths, so VPP was not asked",
            PERMANENT,
        ),
        code(-1, "UNSPECIFIED", "VPP gives no reason", PASSING),
        code(
            -2,
            "INVALID_SW_IF_INDEX",
            "VPP has no interface of this index",
            PASSING,
        ),
        code(-3, "NO_SUCH_FIB", "VPP has no table of this id", PASSING),
        code(-6, "NO_SUCH_ENTRY", "VPP has no such entry", PASSING),
        code(
            -7,
            "INVALID_VALUE",
            "a field has an impossible value",
            PERMANENT,
        ),
        code(
            -8,
            "INVALID_VALUE_2",
            "a field has an impossible value",
            PERMANENT,
        ),
        code(-9, "UNIMPLEMENTED", "this VPP cannot do it", PERMANENT),
        code(
            -50,
            "NEXT_HOP_NOT_IN_FIB",
            "VPP has no route to the next hop",
            PASSING,
        ),
        code(
            -51,
            "UNKNOWN_DESTINATION",
            "VPP does not know the destination",
            PASSING,
        ),
        code(
            -52,
            "NO_PATHS_IN_ROUTE",
            "the request has no path",
            PERMANENT,
        ),
        code(
            -53,
            "NEXT_HOP_NOT_FOUND_MP",
            "the route has no such path",
            PASSING,
        ),
        code(
            -54,
            "NO_MATCHING_INTERFACE",
            "a path's interface does not exist in VPP",
            PASSING,
        ),
        code(
            -62,
            "IP6_NOT_ENABLED",
            "IPv6 is not enabled on the interface",
            PASSING,
        ),
        code(-65, "NO_SUCH_TABLE", "VPP has no such table", PASSING),
        code(
            -71,
            "INVALID_INTERFACE",
            "VPP does not take this interface",
            PASSING,
        ),
        code(
            -73,
            "INVALID_ARGUMENT",
            "a field has an impossible value",
            PERMANENT,
        ),
        code(
            -74,
            "UNEXPECTED_INTF_STATE",
            "the interface is not in the right state",
            PASSING,
        ),
        code(-77, "RESPONSE_NOT_READY", "VPP is not ready", PASSING),
        code(
            -88,
            "IP_PREFIX_INVALID",
            "the prefix has bits behind its length",
            PERMANENT,
        ),
        code(
            -97,
            "INVALID_ADDRESS_FAMILY",
            "VPP does not know the address family",
            PERMANENT,
        ),
        code(-107, "QUEUE_FULL", "a queue in VPP is full", PASSING),
        code(
            -116,
            "ENTRY_ALREADY_EXISTS",
            "VPP has the entry already",
            PASSING,
        ),
        code(-126, "UNSUPPORTED", "this VPP cannot do it", PERMANENT),
        code(
            -157,
            "FIB_PATH_UNSUPPORTED_NH_PROTO",
            "VPP does not take this kind of next hop",
            PERMANENT,
        ),
        code(
            -159,
            "API_ENDIAN_FAILED",
            "VPP could not read the message",
            PERMANENT,
        ),
        code(-162, "LIMIT_EXCEEDED", "a limit of VPP is reached", PASSING),
        code(-165, "EAGAIN", "VPP asks to try again", PASSING),
        code(-167, "BUSY", "VPP is busy", PASSING),
        code(
            -171,
            "INVALID_PREFIX_LENGTH",
            "the prefix is longer than its address",
            PERMANENT,
        ),
    ]
};

impl Retval {
    /// Not one of VPP's codes: the desired route has no encoding, so no request was sent.
    pub const NOT_ENCODABLE: Self = Self(i32::MIN);
    /// A table that does not exist.
    pub const NO_SUCH_FIB: Self = Self(-3);
    /// A lookup that found nothing.
    pub const NO_SUCH_ENTRY: Self = Self(-6);
    /// An add without paths.
    pub const NO_PATHS_IN_ROUTE: Self = Self(-52);
    /// A path through an interface that does not exist.
    pub const NO_MATCHING_INTERFACE: Self = Self(-54);
    /// A prefix longer than its address.
    pub const INVALID_PREFIX_LENGTH: Self = Self(-171);

    fn code(self) -> Option<&'static Code> {
        CODES.iter().find(|code| code.retval == self.0)
    }

    /// Whether VPP did what was requested.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 >= 0
    }

    /// VPP's name of the code, without its prefix, for those that concern routes.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.code().map(|code| code.name)
    }

    /// Whether VPP will never take this request, so that none is sent until the route changes. An
    /// unknown code is not: most of VPP's report that something is missing or busy.
    #[must_use]
    pub fn is_permanent(self) -> bool {
        self.code().is_some_and(|code| code.is_permanent)
    }
}

impl fmt::Display for Retval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code() {
            None if self.is_ok() => f.write_str("accepted"),
            None => write!(f, "VPP error {}", self.0),
            Some(Code { name, text, .. }) => write!(f, "{text} ({name}, {})", self.0),
        }
    }
}
