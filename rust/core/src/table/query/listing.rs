//! Listings of the table, page by page.

use crate::table::Table;
use crate::table::query::filter::RouteFilter;
use crate::table::query::view::RouteView;
use crate::table::store::ids::Handle;

/// The position of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    rib: u16,
    slot: u32,
}

impl Cursor {
    /// The cursor as a number, for callers that store it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        (self.rib as u64) << 32 | self.slot as u64
    }

    /// The cursor from the number that [`Self::to_bits`] returned.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            rib: (bits >> 32) as u16,
            slot: bits as u32,
        }
    }
}

/// Entries that one call examines: the table is locked for that long.
pub(super) const MAX_SLOTS: u32 = 65_536;

/// Where source-specific routes are listed, in place of a mirrored table's number.
const SOURCE_SPECIFIC: u16 = u16::MAX;

impl Table {
    /// The routes that `filter` accepts from `cursor` on: about `limit` of them (the routes of one
    /// prefix stay together), perhaps fewer, or none, although there are more; and the next cursor,
    /// none at the end.
    #[must_use]
    pub fn routes(
        &self,
        cursor: Cursor,
        limit: usize,
        filter: &RouteFilter,
    ) -> (Vec<RouteView>, Option<Cursor>) {
        let mut views = Vec::new();
        if cursor.rib == SOURCE_SPECIFIC {
            let rest = self.source_specific_views(cursor.slot, limit, filter, &mut views);
            return (
                views,
                rest.map(|slot| Cursor {
                    rib: SOURCE_SPECIFIC,
                    slot,
                }),
            );
        }
        let rest = self.walk_slots(cursor, MAX_SLOTS, |handle| {
            let room = views.len() < limit;
            if room {
                self.views(handle, filter, &mut views);
            }
            room
        });
        let behind = Cursor {
            rib: SOURCE_SPECIFIC,
            slot: 0,
        };
        let more = self.source_specific_routes().next().is_some();
        (views, rest.or(more.then_some(behind)))
    }

    /// Calls `with` for each slot from `cursor` on until it says no, for `slots` at most; where to
    /// go on, none at the end.
    pub(super) fn walk_slots(
        &self,
        cursor: Cursor,
        slots: u32,
        mut with: impl FnMut(Handle) -> bool,
    ) -> Option<Cursor> {
        let Cursor {
            rib: mut index,
            mut slot,
        } = cursor;
        let mut left = slots;
        while let Some(rib) = self.ribs.get(usize::from(index)) {
            while slot < rib.slots() {
                if left == 0 || !with(Handle { rib: index, slot }) {
                    return Some(Cursor { rib: index, slot });
                }
                slot += 1;
                left -= 1;
            }
            (index, slot) = (index.saturating_add(1), 0);
        }
        None
    }
}
