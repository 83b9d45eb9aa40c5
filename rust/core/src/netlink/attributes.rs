//! Attributes (`struct rtattr`, `linux/rtnetlink.h`) and their values.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::constants::{LWTUNNEL_ENCAP_MPLS, MPLS_IPTUNNEL_DST, NLA_TYPE_MASK, RTA_ENCAP, RTA_VIA};
use super::error::DecodeErrorKind;
use crate::route::{Family, Label};

const HEADER: usize = 4;
const ALIGN: usize = 4;

/// The next multiple of four, where the next message or attribute begins.
pub(super) const fn align(length: usize) -> usize {
    length.saturating_add(ALIGN - 1) & !(ALIGN - 1)
}

/// Iterates over attributes; ends after the first that does not fit.
pub(super) struct Attributes<'a> {
    rest: &'a [u8],
    broken: bool,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            broken: false,
        }
    }

    /// Bytes that have not been walked over.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// The value of the next attribute, if it has this type and length; otherwise nothing is
    /// consumed.
    #[inline]
    pub(super) fn expect<const N: usize>(&mut self, kind: u16) -> Option<&'a [u8; N]> {
        let (header, rest) = self.rest.split_first_chunk::<HEADER>()?;
        let (length, found) = halves(header);
        let (value, rest) = rest.split_first_chunk::<N>()?;
        if (usize::from(length), found) != (HEADER + N, kind) {
            return None;
        }
        self.rest = rest;
        Some(value)
    }

    /// The next attribute; none at the end. [`Self::end`] returns whether the end was reached
    /// cleanly.
    pub(super) fn step(&mut self) -> Option<(u16, &'a [u8])> {
        // Fewer bytes than a header are padding, as in the kernel's RTA_OK.
        let (length, kind) = halves(self.rest.first_chunk::<HEADER>()?);
        let kind = kind & NLA_TYPE_MASK;
        // Most values have four bytes. A constant step lets the processor continue without waiting
        // for the length.
        if let (8, Some((whole, rest))) = (length, self.rest.split_first_chunk::<8>()) {
            let [_, _, _, _, value @ ..] = whole;
            self.rest = rest;
            return Some((kind, value));
        }
        let length = usize::from(length);
        let Some(value) = self.rest.get(HEADER..length) else {
            self.broken = true;
            self.rest = &[];
            return None;
        };
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some((kind, value))
    }

    /// An error where an attribute did not fit.
    pub(super) fn end(&self) -> Result<(), DecodeErrorKind> {
        if self.broken {
            return Err(DecodeErrorKind::AttributeLength);
        }
        Ok(())
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), DecodeErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        let was_broken = self.broken;
        match self.step() {
            Some(attribute) => Some(Ok(attribute)),
            None if self.broken && !was_broken => Some(Err(DecodeErrorKind::AttributeLength)),
            None => None,
        }
    }
}

/// Both numbers of a header.
fn halves(header: &[u8; HEADER]) -> (u16, u16) {
    let both = u32::from_ne_bytes(*header);
    let (low, high) = (both as u16, (both >> 16) as u16);
    if cfg!(target_endian = "little") {
        (low, high)
    } else {
        (high, low)
    }
}

/// The value, which must have this length.
pub(super) fn exact<const N: usize>(
    attribute: u16,
    value: &[u8],
) -> Result<[u8; N], DecodeErrorKind> {
    value
        .try_into()
        .map_err(|_| DecodeErrorKind::AttributeSize {
            attribute,
            length: value.len(),
        })
}

/// A number in host byte order.
pub(super) fn u32_of(attribute: u16, value: &[u8]) -> Result<u32, DecodeErrorKind> {
    exact(attribute, value).map(u32::from_ne_bytes)
}

/// A number in host byte order.
pub(super) fn u16_of(attribute: u16, value: &[u8]) -> Result<u16, DecodeErrorKind> {
    exact(attribute, value).map(u16::from_ne_bytes)
}

/// An address of the given family, in network byte order.
pub(super) fn address(
    family: Family,
    attribute: u16,
    value: &[u8],
) -> Result<IpAddr, DecodeErrorKind> {
    match family {
        Family::V4 => exact::<4>(attribute, value).map(IpAddr::from),
        Family::V6 => exact::<16>(attribute, value).map(IpAddr::from),
    }
}

/// `struct rtvia`: a family and an address of it.
pub(super) fn via(value: &[u8]) -> Result<IpAddr, DecodeErrorKind> {
    let short = DecodeErrorKind::AttributeSize {
        attribute: RTA_VIA,
        length: value.len(),
    };
    let (number, rest) = value.split_first_chunk::<2>().ok_or(short)?;
    let number = u16::from_ne_bytes(*number);
    let family = u8::try_from(number).ok().and_then(Family::from_af);
    address(
        family.ok_or(DecodeErrorKind::AddressFamily(number))?,
        RTA_VIA,
        rest,
    )
}

/// What an encapsulation adds to a packet: labels, or its type if it is not MPLS.
pub(super) type Encapsulation = (SmallVec<[Label; 2]>, u16);

/// `RTA_ENCAP` of the type in `RTA_ENCAP_TYPE`. An incomplete encapsulation is an error: without it
/// the packets would be sent unencapsulated.
#[inline]
pub(super) fn encapsulation(
    kind: u16,
    value: Option<&[u8]>,
) -> Result<Encapsulation, DecodeErrorKind> {
    match (kind, value) {
        (0, None) => Ok((SmallVec::new(), 0)),
        _ => some_encapsulation(kind, value),
    }
}

#[cold]
#[inline(never)]
fn some_encapsulation(kind: u16, value: Option<&[u8]>) -> Result<Encapsulation, DecodeErrorKind> {
    let mut labels = SmallVec::new();
    let value = match (kind, value) {
        (0, _) => return Err(DecodeErrorKind::Missing("RTA_ENCAP_TYPE")),
        (LWTUNNEL_ENCAP_MPLS, value) => value.unwrap_or_default(),
        (other, _) => return Ok((labels, other)),
    };
    for attribute in Attributes::new(value) {
        let (MPLS_IPTUNNEL_DST, value) = attribute? else {
            continue;
        };
        labels.extend(label_stack(RTA_ENCAP, value)?);
    }
    if labels.is_empty() {
        return Err(DecodeErrorKind::Missing("MPLS_IPTUNNEL_DST"));
    }
    Ok((labels, 0))
}

/// The labels of a stack, whose entries (RFC 3032) have 20 bits of label, 3 of class, the bottom mark
/// and 8 bits of TTL.
pub(super) fn label_stack(
    attribute: u16,
    value: &[u8],
) -> Result<SmallVec<[Label; 2]>, DecodeErrorKind> {
    let entries = value.chunks_exact(4);
    if !entries.remainder().is_empty() {
        let length = value.len();
        return Err(DecodeErrorKind::AttributeSize { attribute, length });
    }
    let entries = entries.filter_map(|entry| entry.try_into().ok());
    Ok(entries.map(|e| u32::from_be_bytes(e) >> 12).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_padded_attributes_and_ignores_flags() {
        let bytes = [5, 0, 1, 0x80, 9, 0, 0, 0, 8, 0, 2, 0x40, 1, 2, 3, 4];
        let all: Vec<_> = Attributes::new(&bytes).map(Result::unwrap).collect();
        assert_eq!(all, [(1, &[9][..]), (2, &[1, 2, 3, 4][..])]);
    }

    #[test]
    fn an_attribute_that_does_not_fit_ends_the_walk() {
        for length in [0, 3, 9] {
            let bytes = [length, 0, 1, 0, 9, 0, 0, 0];
            let all: Vec<_> = Attributes::new(&bytes).collect();
            assert_eq!(all, [Err(DecodeErrorKind::AttributeLength)]);
        }
    }

    #[test]
    fn reads_a_label_stack() {
        let value = [12, 0, 1, 0, 0, 0x01, 0x00, 0x40, 0, 0x01, 0x11, 0x40];
        let (labels, other) = encapsulation(LWTUNNEL_ENCAP_MPLS, Some(&value)).unwrap();
        assert_eq!((labels.as_slice(), other), (&[16, 17][..], 0));
        assert_eq!(encapsulation(5, None).unwrap(), (SmallVec::new(), 5));
    }
}
