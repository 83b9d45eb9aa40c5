//! Addresses and prefixes (`vl_api_address_t`, `vl_api_prefix_t` in VPP's `ip_types.api`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::WireError;
use super::bytes::Reader;
use crate::route::{Family, Prefix};

/// Bytes of a prefix: u8 family, 16 bytes of address, u8 length.
pub const PREFIX_LENGTH: usize = 18;

/// VPP's number of a family: `ADDRESS_IP4` (0), `ADDRESS_IP6` (1). `FIB_API_PATH_NH_PROTO_` and
/// `is_ip6` use the same two.
#[must_use]
pub const fn family_number(family: Family) -> u8 {
    match family {
        Family::V4 => 0,
        Family::V6 => 1,
    }
}

/// The family of a `bool is_ip6`.
#[must_use]
pub const fn family_of(is_ip6: bool) -> Family {
    if is_ip6 { Family::V6 } else { Family::V4 }
}

/// An address as its 16-byte union: IPv4 in the first four bytes, zeros behind it.
#[must_use]
pub fn address_union(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96).to_be_bytes(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The address in a 16-byte union.
#[must_use]
pub const fn address_from_union(family: Family, bytes: [u8; 16]) -> IpAddr {
    match family {
        Family::V4 => {
            let [a, b, c, d, ..] = bytes;
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(u128::from_be_bytes(bytes))),
    }
}

/// Appends a prefix.
pub fn put_prefix(out: &mut Vec<u8>, prefix: &Prefix) {
    out.push(family_number(prefix.family()));
    out.extend_from_slice(&address_union(prefix.address()));
    out.push(prefix.length());
}

/// Reads a prefix; bits behind its length are cleared, as VPP's FIB does.
///
/// # Errors
/// [`WireError::AddressFamily`], [`WireError::PrefixLength`], [`WireError::Truncated`].
pub fn read_prefix(reader: &mut Reader<'_>) -> Result<Prefix, WireError> {
    let family = match reader.u8()? {
        0 => Family::V4,
        1 => Family::V6,
        other => return Err(WireError::AddressFamily(other)),
    };
    let address = address_from_union(family, reader.array()?);
    let length = reader.u8()?;
    Prefix::new(address, length).map_err(|_| WireError::PrefixLength {
        address,
        family,
        length,
    })
}
