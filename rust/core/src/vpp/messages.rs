//! The supported messages, by name and CRC.
//!
//! A CRC identifies a layout: those here are VPP 21.06's to 26.10's for the route, table and source
//! messages, and VPP 26.10's for the rest.

use std::fmt;

/// Name of a message and the CRC of the layout that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageName {
    /// Name in VPP's `.api` files.
    pub name: &'static str,
    /// CRC of the layout, 8 hexadecimal digits.
    pub crc: &'static str,
}

impl fmt::Display for MessageName {
    /// `name_crc`, the form of VPP's message table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.name, self.crc)
    }
}

/// Id of `sockclnt_create`, the same in every VPP.
pub const SOCKCLNT_CREATE_ID: u16 = 15;
/// Id of `sockclnt_create_reply`, the same in every VPP.
pub const SOCKCLNT_CREATE_REPLY_ID: u16 = 16;

macro_rules! messages {
    ($($constant:ident = $name:literal, $crc:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $constant: MessageName = MessageName { name: $name, crc: $crc };
        )*

        /// All of them.
        pub const ALL: &[MessageName] = &[$($constant),*];
    };
}

messages! {
    SOCKCLNT_CREATE = "sockclnt_create", "455fb9c4";
    SOCKCLNT_CREATE_REPLY = "sockclnt_create_reply", "35166268";
    SOCKCLNT_DELETE = "sockclnt_delete", "8ac76db6";
    SOCKCLNT_DELETE_REPLY = "sockclnt_delete_reply", "8f38b1ee";
    MEMCLNT_KEEPALIVE = "memclnt_keepalive", "51077d14";
    MEMCLNT_KEEPALIVE_REPLY = "memclnt_keepalive_reply", "e8d4e804";
    CONTROL_PING = "control_ping", "51077d14";
    CONTROL_PING_REPLY = "control_ping_reply", "f6b0b8ca";
    GET_API_JSON = "get_api_json", "51077d14";
    GET_API_JSON_REPLY = "get_api_json_reply", "ea715b59";
    SHOW_VERSION = "show_version", "51077d14";
    SHOW_VERSION_REPLY = "show_version_reply", "c919bde1";
    CLI_INBAND = "cli_inband", "f8377302";
    CLI_INBAND_REPLY = "cli_inband_reply", "05879051";
    SW_INTERFACE_DUMP = "sw_interface_dump", "aa610c27";
    SW_INTERFACE_DETAILS = "sw_interface_details", "6c221fc7";
    SW_INTERFACE_SET_FLAGS = "sw_interface_set_flags", "f5aec1b8";
    SW_INTERFACE_SET_FLAGS_REPLY = "sw_interface_set_flags_reply", "e8d4e804";
    WANT_INTERFACE_EVENTS = "want_interface_events", "476f5a08";
    WANT_INTERFACE_EVENTS_REPLY = "want_interface_events_reply", "e8d4e804";
    SW_INTERFACE_EVENT = "sw_interface_event", "2d3d95a7";
    CREATE_LOOPBACK = "create_loopback", "42bb5d22";
    CREATE_LOOPBACK_REPLY = "create_loopback_reply", "5383d31f";
    DELETE_LOOPBACK = "delete_loopback", "f9e6675e";
    DELETE_LOOPBACK_REPLY = "delete_loopback_reply", "e8d4e804";
    LCP_ITF_PAIR_GET_V2 = "lcp_itf_pair_get_v2", "47250981";
    LCP_ITF_PAIR_GET_V2_REPLY = "lcp_itf_pair_get_v2_reply", "53b48f5d";
    LCP_ITF_PAIR_GET = "lcp_itf_pair_get", "f75ba505";
    LCP_ITF_PAIR_GET_REPLY = "lcp_itf_pair_get_reply", "53b48f5d";
    LCP_ITF_PAIR_DETAILS = "lcp_itf_pair_details", "8b5481af";
    LCP_ITF_PAIR_ADD_DEL_V2 = "lcp_itf_pair_add_del_v2", "40482b80";
    LCP_ITF_PAIR_ADD_DEL_V2_REPLY = "lcp_itf_pair_add_del_v2_reply", "39452f52";
    IP_TABLE_ADD_DEL = "ip_table_add_del", "0ffdaec0";
    IP_TABLE_ADD_DEL_REPLY = "ip_table_add_del_reply", "e8d4e804";
    IP_TABLE_DUMP = "ip_table_dump", "51077d14";
    IP_TABLE_DETAILS = "ip_table_details", "c79fca0f";
    FIB_SOURCE_ADD = "fib_source_add", "b3ac2aec";
    FIB_SOURCE_ADD_REPLY = "fib_source_add_reply", "604fd6f1";
    FIB_SOURCE_DUMP = "fib_source_dump", "51077d14";
    FIB_SOURCE_DETAILS = "fib_source_details", "8668acdb";
    IP_ROUTE_ADD_DEL = "ip_route_add_del", "b8ecfe0d";
    IP_ROUTE_ADD_DEL_REPLY = "ip_route_add_del_reply", "1992deab";
    IP_ROUTE_ADD_DEL_V2 = "ip_route_add_del_v2", "521ef330";
    IP_ROUTE_ADD_DEL_V2_REPLY = "ip_route_add_del_v2_reply", "1992deab";
    IP_ROUTE_DUMP = "ip_route_dump", "b9d2e09e";
    IP_ROUTE_DETAILS = "ip_route_details", "bda8f315";
    IP_ROUTE_V2_DUMP = "ip_route_v2_dump", "d16f72e6";
    IP_ROUTE_V2_DETAILS = "ip_route_v2_details", "b09aa6c0";
    IP_ROUTE_LOOKUP = "ip_route_lookup", "710d6471";
    IP_ROUTE_LOOKUP_REPLY = "ip_route_lookup_reply", "5d8febcb";
    IP_ROUTE_LOOKUP_V2 = "ip_route_lookup_v2", "710d6471";
    IP_ROUTE_LOOKUP_V2_REPLY = "ip_route_lookup_v2_reply", "84cc9e03";
}
