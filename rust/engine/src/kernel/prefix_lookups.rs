//! The kernel's own lookup results for prefixes, as an independent check of the table.

use std::net::IpAddr;
use std::path::Path;

use bgpreflector_core::route::Prefix;
use bgpreflector_core::table::LOCAL_TABLE;

use crate::error::KernelError;

use super::lookup::{LookupResult, lookups};
use super::presence::{ADDRESSES, address};

/// The kernel's answer for an address of a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixLookup {
    /// The kernel table and prefix of the request.
    pub requested: (u32, Prefix),
    /// The address within the prefix.
    pub address: IpAddr,
    /// The kernel's route for that address.
    pub found: LookupResult,
}

/// Looks up an address of each prefix, preferring one (of up to three) that no longer prefix of the
/// same table covers.
///
/// # Errors
/// [`KernelError`]
pub fn look_up_prefixes(
    namespace: Option<&Path>,
    prefixes: &[(u32, Prefix)],
) -> Result<Vec<PrefixLookup>, KernelError> {
    let mut answers = Vec::with_capacity(prefixes.len());
    let mut waiting = prefixes.to_vec();
    for attempt in 0..ADDRESSES {
        let within = |(_, prefix): &(u32, Prefix)| address(prefix, attempt);
        let addresses: Vec<_> = waiting.iter().map(within).collect();
        let mut covered = Vec::new();
        for (index, found) in lookups(namespace, &addresses)? {
            let (Some(requested), Some(address)) = (waiting.get(index), addresses.get(index))
            else {
                continue;
            };
            let (requested, address) = (*requested, *address);
            if is_covered(requested, &found) && attempt + 1 < ADDRESSES {
                covered.push(requested);
                continue;
            }
            answers.push(PrefixLookup {
                requested,
                address,
                found,
            });
        }
        waiting = covered;
    }
    Ok(answers)
}

/// Whether a longer prefix answers: the result then does not concern the requested one.
#[must_use]
pub fn is_covered((table, prefix): (u32, Prefix), found: &LookupResult) -> bool {
    let LookupResult::Route(route) = found else {
        return false;
    };
    let key = &route.key;
    // The kernel's own routes (addresses, broadcasts) are in a table that precedes all others.
    key.prefix.length() > prefix.length() && (key.table == table || key.table == LOCAL_TABLE)
}
