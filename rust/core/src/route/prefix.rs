//! A destination prefix.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::Family;

/// A destination prefix: address and length, the bits behind the length always zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    family: Family,
    /// The address as an integer. Unlike an [`IpAddr`] the compiler keeps it in registers: a copy
    /// through memory, written in pieces and read as a whole, fails store forwarding and stalls.
    high: u64,
    low: u64,
    length: u8,
}

/// Why a text, or an address with a length, is not a prefix.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PrefixError {
    /// The length exceeds the family's 32 or 128 bits.
    #[error("prefix length {length} exceeds the {bits} bits of {address}")]
    Length {
        /// The address given.
        address: IpAddr,
        /// The length given.
        length: u8,
        /// The family's maximum.
        bits: u8,
    },
    /// The text is not `ADDRESS/LENGTH`.
    #[error("{0:?} is not a prefix: expected ADDRESS/LENGTH, for instance 192.0.2.0/24")]
    Syntax(String),
}

impl Prefix {
    /// Creates a prefix; clears the bits behind `length`.
    ///
    /// # Errors
    /// [`PrefixError::Length`] if `length` exceeds the family's bits.
    pub fn new(address: IpAddr, length: u8) -> Result<Self, PrefixError> {
        match address {
            IpAddr::V4(v4) if length <= 32 => Ok(Self::v4(u32::from(v4), length)),
            IpAddr::V6(v6) if length <= 128 => Ok(Self::v6(u128::from(v6), length)),
            IpAddr::V4(_) => Err(PrefixError::Length {
                address,
                length,
                bits: 32,
            }),
            IpAddr::V6(_) => Err(PrefixError::Length {
                address,
                length,
                bits: 128,
            }),
        }
    }

    /// An IPv4 prefix from its address in host byte order; a length over 32 counts as 32.
    #[must_use]
    pub fn v4(address: u32, length: u8) -> Self {
        Self::of(Family::V4, address.into(), length)
    }

    /// An IPv6 prefix from its address in host byte order; a length over 128 counts as 128.
    #[must_use]
    pub fn v6(address: u128, length: u8) -> Self {
        Self::of(Family::V6, address, length)
    }

    /// A prefix from its address as a number; a length over the family's bits counts as those.
    #[must_use]
    #[inline]
    pub fn of(family: Family, address: u128, length: u8) -> Self {
        let length = length.min(family.bits());
        let behind = u32::from(family.bits() - length);
        let address = address & u128::MAX.checked_shl(behind).unwrap_or(0);
        Self {
            family,
            high: (address >> 64) as u64,
            low: address as u64,
            length,
        }
    }

    /// The network address as a number.
    #[must_use]
    pub const fn bits(&self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }

    /// The network address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        match self.family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from_bits(self.low as u32)),
            Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(self.bits())),
        }
    }

    /// The length in bits, 0 to 32 or 0 to 128.
    #[must_use]
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// The address family.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.family
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.length)
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let syntax = || PrefixError::Syntax(text.to_owned());
        let (address, length) = text.split_once('/').ok_or_else(syntax)?;
        let address = address.parse().map_err(|_| syntax())?;
        let length = length.parse().map_err(|_| syntax())?;
        Self::new(address, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clears_the_bits_behind_the_length() {
        let prefix: Prefix = "192.0.2.77/24".parse().unwrap();
        assert_eq!(prefix.to_string(), "192.0.2.0/24");
        let prefix: Prefix = "2001:db8::1/32".parse().unwrap();
        assert_eq!(prefix.to_string(), "2001:db8::/32");
    }

    #[test]
    fn default_routes_have_length_zero() {
        assert_eq!(
            "10.1.2.3/0".parse::<Prefix>().unwrap().to_string(),
            "0.0.0.0/0"
        );
        assert_eq!(
            "2001:db8::1/0".parse::<Prefix>().unwrap().to_string(),
            "::/0"
        );
    }

    #[test]
    fn refuses_what_is_no_prefix() {
        assert_eq!(
            "10.0.0.0/33".parse::<Prefix>().unwrap_err().to_string(),
            "prefix length 33 exceeds the 32 bits of 10.0.0.0"
        );
        for text in ["", "10.0.0.0", "10.0.0.0/", "x/8", "10.0.0.0/8/9"] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }
}
