//! VPP's return codes (`foreach_vnet_error` in VPP's `vnet/error.h`, `VNET_API_ERROR_` in the API):
//! names, texts, and how to react.

use std::fmt;

/// The reaction to a refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Send it again later: the cause may pass.
    Retry,
    /// Send it again when the interface appears or changes.
    WaitForInterface,
    /// Send it again when the table exists.
    WaitForTable,
    /// VPP has something else than was believed: dump and compare.
    Resynchronise,
    /// VPP will never take this request: report it, and send none until the route changes.
    GiveUp,
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retry => "it is sent again later",
            Self::WaitForInterface => "it is sent again when the VPP interface is there",
            Self::WaitForTable => "it is sent again when the VPP table is there",
            Self::Resynchronise => "VPP's routes are read again and compared",
            Self::GiveUp => "it is not sent again until the route changes",
        })
    }
}

/// A return code: 0 is success, anything below it a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Retval(pub i32);

struct Code {
    retval: i32,
    name: &'static str,
    text: &'static str,
    disposition: Disposition,
}

const fn code(
    retval: i32,
    name: &'static str,
    text: &'static str,
    disposition: Disposition,
) -> Code {
    Code {
        retval,
        name,
        text,
        disposition,
    }
}

const CODES: &[Code] = {
    use Disposition::{GiveUp, Resynchronise, Retry, WaitForInterface, WaitForTable};
    &[
        code(
            i32::MIN,
            "NOT_ENCODABLE",
            "VPP's message has no room for its paths, so VPP was not asked",
            GiveUp,
        ),
        code(-1, "UNSPECIFIED", "VPP gives no reason", Retry),
        code(
            -2,
            "INVALID_SW_IF_INDEX",
            "VPP has no interface of this index",
            WaitForInterface,
        ),
        code(
            -3,
            "NO_SUCH_FIB",
            "VPP has no table of this id",
            WaitForTable,
        ),
        code(-6, "NO_SUCH_ENTRY", "VPP has no such entry", Resynchronise),
        code(
            -7,
            "INVALID_VALUE",
            "a field has an impossible value",
            GiveUp,
        ),
        code(
            -8,
            "INVALID_VALUE_2",
            "a field has an impossible value",
            GiveUp,
        ),
        code(-9, "UNIMPLEMENTED", "this VPP cannot do it", GiveUp),
        code(
            -50,
            "NEXT_HOP_NOT_IN_FIB",
            "VPP has no route to the next hop",
            Retry,
        ),
        code(
            -51,
            "UNKNOWN_DESTINATION",
            "VPP does not know the destination",
            Retry,
        ),
        code(-52, "NO_PATHS_IN_ROUTE", "the request has no path", GiveUp),
        code(
            -53,
            "NEXT_HOP_NOT_FOUND_MP",
            "the route has no such path",
            Resynchronise,
        ),
        code(
            -54,
            "NO_MATCHING_INTERFACE",
            "a path's interface does not exist in VPP",
            WaitForInterface,
        ),
        code(
            -62,
            "IP6_NOT_ENABLED",
            "IPv6 is not enabled on the interface",
            WaitForInterface,
        ),
        code(-65, "NO_SUCH_TABLE", "VPP has no such table", WaitForTable),
        code(
            -71,
            "INVALID_INTERFACE",
            "VPP does not take this interface",
            WaitForInterface,
        ),
        code(
            -73,
            "INVALID_ARGUMENT",
            "a field has an impossible value",
            GiveUp,
        ),
        code(
            -74,
            "UNEXPECTED_INTF_STATE",
            "the interface is not in the right state",
            WaitForInterface,
        ),
        code(-77, "RESPONSE_NOT_READY", "VPP is not ready", Retry),
        code(
            -88,
            "IP_PREFIX_INVALID",
            "the prefix has bits behind its length",
            GiveUp,
        ),
        code(
            -97,
            "INVALID_ADDRESS_FAMILY",
            "VPP does not know the address family",
            GiveUp,
        ),
        code(-107, "QUEUE_FULL", "a queue in VPP is full", Retry),
        code(
            -116,
            "ENTRY_ALREADY_EXISTS",
            "VPP has the entry already",
            Resynchronise,
        ),
        code(-126, "UNSUPPORTED", "this VPP cannot do it", GiveUp),
        code(
            -157,
            "FIB_PATH_UNSUPPORTED_NH_PROTO",
            "VPP does not take this kind of next hop",
            GiveUp,
        ),
        code(
            -159,
            "API_ENDIAN_FAILED",
            "VPP could not read the message",
            GiveUp,
        ),
        code(-162, "LIMIT_EXCEEDED", "a limit of VPP is reached", Retry),
        code(-165, "EAGAIN", "VPP asks to try again", Retry),
        code(-167, "BUSY", "VPP is busy", Retry),
        code(
            -171,
            "INVALID_PREFIX_LENGTH",
            "the prefix is longer than its address",
            GiveUp,
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

    /// How to react to the code; none if it is a success. An unknown code is worth a retry: most of
    /// VPP's report that something is missing or busy.
    #[must_use]
    pub fn disposition(self) -> Option<Disposition> {
        if self.is_ok() {
            return None;
        }
        Some(
            self.code()
                .map_or(Disposition::Retry, |code| code.disposition),
        )
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
