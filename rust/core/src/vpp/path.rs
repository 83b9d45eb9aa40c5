//! One path on the wire (`vl_api_fib_path_t` in VPP's `fib_types.api`).
//!
//! | field | bytes | |
//! | --- | --- | --- |
//! | `sw_if_index` | 4 | all ones: none |
//! | `table_id` | 4 | where the next hop is looked up if there is no interface |
//! | `rpf_id` | 4 | unset: all ones or 0 |
//! | `weight`, `preference` | 1, 1 | |
//! | `type`, `flags`, `proto` | 4, 4, 4 | |
//! | `nh.address` | 16 | |
//! | `nh.via_label`, `nh.obj_id`, `nh.classify_table_index` | 4, 4, 4 | for other types of path |
//! | `n_labels` | 1 | |
//! | `label_stack` | 16 × 7 | `is_uniform`, u32 `label`, `ttl`, `exp`; outermost first |

use smallvec::SmallVec;

use super::WireError;
use super::address::{address_from_union, address_union, family_number};
use super::bytes::Reader;
use super::canonical::canonical_path;
use crate::route::{Family, Label, Path, PathType};

/// Bytes of a path.
pub const PATH_LENGTH: usize = 167;
/// TTL of a pushed label: the labels start a tunnel of their own (pipe mode, `is_uniform` 0).
pub const LABEL_TTL: u8 = 64;

const MPLS_LABEL_INVALID: u32 = 1 << 20;
const LABEL_LENGTH: usize = 7;
const UNSET: u32 = u32::MAX;

fn check(path: &Path) -> Result<(), WireError> {
    if path.labels.len() > Path::MAX_LABELS {
        return Err(WireError::TooManyLabels(path.labels.len()));
    }
    if let Some(label) = path
        .labels
        .iter()
        .find(|label| **label >= MPLS_LABEL_INVALID)
    {
        return Err(WireError::LabelValue(*label));
    }
    match path.next_hop {
        Some(next_hop) if next_hop.is_ipv6() != (path.family == Family::V6) => {
            Err(WireError::NextHopFamily {
                next_hop,
                family: path.family,
            })
        }
        _ => Ok(()),
    }
}

/// Appends the 167 bytes of `path`, in canonical form, as a client sends it.
///
/// # Errors
/// [`WireError::TooManyLabels`], [`WireError::LabelValue`], [`WireError::NextHopFamily`]:
/// nothing is appended.
pub fn encode_path(path: &Path, out: &mut Vec<u8>) -> Result<(), WireError> {
    check(path)?;
    let path = canonical_path(path.clone());
    let resolves = path.next_hop.is_some();
    out.reserve(PATH_LENGTH);
    put_words(out, &[path.sw_if_index, path.table, UNSET]);
    out.extend_from_slice(&[path.weight, path.preference]);
    let family = u32::from(family_number(path.family));
    put_words(out, &[path.path_type.number(), 0, family]);
    out.extend_from_slice(&path.next_hop.map(address_union).unwrap_or_default());
    let via_label = if resolves { MPLS_LABEL_INVALID } else { 0 };
    put_words(out, &[via_label, 0, if resolves { UNSET } else { 0 }]);
    put_labels(out, &path.labels);
    Ok(())
}

fn put_words(out: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

fn put_labels(out: &mut Vec<u8>, labels: &[Label]) {
    let count = labels.len().min(Path::MAX_LABELS);
    out.push(u8::try_from(count).unwrap_or_default());
    for label in labels.iter().take(count) {
        out.push(0);
        out.extend_from_slice(&label.to_be_bytes());
        out.extend_from_slice(&[LABEL_TTL, 0]);
    }
    let padding = (Path::MAX_LABELS - count) * LABEL_LENGTH;
    out.resize(out.len() + padding, 0);
}

/// Decodes the 167 bytes of a path, from a request or from details, to canonical form.
///
/// Fields without a counterpart in [`Path`] are ignored: the resolution flags, and the labels' TTL,
/// EXP and mode, which VPP's own dump omits or which are the same in all our paths.
///
/// # Errors
/// [`WireError::PathType`] and [`WireError::PathProtocol`] for a type of path that none of our
/// routes has, [`WireError::TooManyLabels`], [`WireError::Truncated`],
/// [`WireError::TrailingBytes`].
pub fn decode_path(bytes: &[u8]) -> Result<Path, WireError> {
    let mut reader = Reader::new("fib_path", bytes);
    let (sw_if_index, table, _rpf_id) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let (weight, preference) = (reader.u8()?, reader.u8()?);
    let (path_type, _flags, protocol) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let path_type = PathType::from_number(path_type).ok_or(WireError::PathType(path_type))?;
    let family = match protocol {
        0 => Family::V4,
        1 => Family::V6,
        other => return Err(WireError::PathProtocol(other)),
    };
    let address = address_from_union(family, reader.array()?);
    let _other_types: [u8; 12] = reader.array()?;
    let labels = read_labels(&mut reader)?;
    reader.finish()?;
    Ok(canonical_path(Path {
        path_type,
        family,
        next_hop: Some(address),
        sw_if_index,
        table,
        weight,
        preference,
        labels,
    }))
}

fn read_labels(reader: &mut Reader<'_>) -> Result<SmallVec<[Label; 2]>, WireError> {
    let count = usize::from(reader.u8()?);
    if count > Path::MAX_LABELS {
        return Err(WireError::TooManyLabels(count));
    }
    let mut labels = SmallVec::new();
    for index in 0..Path::MAX_LABELS {
        let [_uniform, a, b, c, d, _ttl, _exp] = reader.array::<LABEL_LENGTH>()?;
        let label = u32::from_be_bytes([a, b, c, d]);
        if index >= count {
            continue;
        }
        if label >= MPLS_LABEL_INVALID {
            return Err(WireError::LabelValue(label));
        }
        labels.push(label);
    }
    Ok(labels)
}
