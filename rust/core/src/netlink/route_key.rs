//! The attributes of a route that are its own: those of its key, and its lifetime.

use std::ops::Range;

use super::attributes::{Attributes, exact, u32_of};
use super::constants::{
    RTA_CACHEINFO, RTA_DST, RTA_ENCAP, RTA_ENCAP_TYPE, RTA_FLOW, RTA_GATEWAY, RTA_METRICS,
    RTA_MULTIPATH, RTA_NH_ID, RTA_OIF, RTA_PREF, RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE, RTA_VIA,
};
use super::error::DecodeErrorKind;
use crate::route::Family;

/// The attributes of the key, and the position of those of the set.
pub(super) struct KeyAttributes<'a> {
    pub(super) destination: Option<&'a [u8]>,
    pub(super) table: u32,
    pub(super) metric: u32,
    pub(super) expires: i32,
    pub(super) preference: u8,
    pub(super) set: AttributeRange,
}

impl<'a> KeyAttributes<'a> {
    #[inline]
    pub(super) fn read(
        family: Family,
        table: u32,
        bytes: &'a [u8],
    ) -> Result<Self, DecodeErrorKind> {
        let mut key = Self {
            destination: None,
            table,
            metric: 0,
            expires: 0,
            preference: 0,
            set: AttributeRange::new(),
        };
        let mut attributes = Attributes::new(bytes);
        key.begin(family, &mut attributes);
        loop {
            let left = attributes.left();
            let Some((kind, value)) = attributes.step() else {
                break;
            };
            match kind {
                RTA_DST => key.destination = Some(value),
                RTA_TABLE => key.table = u32_of(kind, value)?,
                RTA_PRIORITY => key.metric = u32_of(kind, value)?,
                RTA_OIF | RTA_GATEWAY | RTA_VIA | RTA_MULTIPATH | RTA_NH_ID | RTA_PREFSRC
                | RTA_METRICS | RTA_FLOW | RTA_ENCAP | RTA_ENCAP_TYPE => {
                    let at = |left| bytes.len().saturating_sub(left);
                    key.set.add(at(left)..at(attributes.left()));
                }
                RTA_CACHEINFO => key.expires = expires(value),
                RTA_PREF if family == Family::V6 => {
                    key.preference = value.first().copied().unwrap_or_default();
                }
                _ => {}
            }
        }
        attributes.end()?;
        Ok(key)
    }

    /// Decodes the attributes that the kernel writes first (`fib_dump_info`, `rt6_fill_node`), in
    /// its order.
    #[inline]
    fn begin(&mut self, family: Family, attributes: &mut Attributes<'a>) {
        if let Some(table) = attributes.expect(RTA_TABLE) {
            self.table = u32::from_ne_bytes(*table);
        }
        self.destination = match family {
            Family::V4 => attributes.expect::<4>(RTA_DST).map(|v| v.as_slice()),
            Family::V6 => attributes.expect::<16>(RTA_DST).map(|v| v.as_slice()),
        };
        if let Some(metric) = attributes.expect(RTA_PRIORITY) {
            self.metric = u32::from_ne_bytes(*metric);
        }
    }
}

/// The position of attributes, from the first to the last of them.
pub(super) struct AttributeRange {
    pub(super) range: Range<usize>,
    /// Whether nothing else stands between them.
    pub(super) contiguous: bool,
}

impl AttributeRange {
    fn new() -> Self {
        Self {
            range: 0..0,
            contiguous: true,
        }
    }

    fn add(&mut self, at: Range<usize>) {
        if self.range.is_empty() {
            self.range = at;
        } else {
            self.contiguous &= self.range.end == at.start;
            self.range.end = at.end;
        }
    }
}

#[inline]
pub(super) fn address(
    family: Family,
    bytes: Option<&[u8]>,
    length: u8,
) -> Result<u128, DecodeErrorKind> {
    let Some(bytes) = bytes else {
        return match length {
            0 => Ok(0),
            _ => Err(DecodeErrorKind::Missing("RTA_DST")),
        };
    };
    if length > family.bits() {
        return Err(DecodeErrorKind::PrefixLength(length));
    }
    match family {
        Family::V4 => exact(RTA_DST, bytes).map(|bytes| u32::from_be_bytes(bytes).into()),
        Family::V6 => exact(RTA_DST, bytes).map(u128::from_be_bytes),
    }
}

/// `struct rta_cacheinfo`: the third number.
fn expires(value: &[u8]) -> i32 {
    let ticks = value.get(8..).and_then(<[u8]>::first_chunk::<4>);
    ticks.map_or(0, |bytes| i32::from_ne_bytes(*bytes))
}
