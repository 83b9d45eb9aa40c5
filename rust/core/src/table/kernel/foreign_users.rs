//! The foreign routes of each next-hop set.

use ahash::AHashMap;

use crate::table::store::ids::SetId;

/// Foreign routes per next-hop set.
#[derive(Default)]
pub(in crate::table) struct ForeignUsers(AHashMap<SetId, u32>);

impl ForeignUsers {
    pub(in crate::table) fn enter(&mut self, id: SetId) {
        *self.0.entry(id).or_default() += 1;
    }

    pub(in crate::table) fn leave(&mut self, id: SetId) {
        if let Some(count) = self.0.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&id);
            }
        }
    }

    pub(in crate::table) fn of(&self, id: SetId) -> u32 {
        self.0.get(&id).copied().unwrap_or(0)
    }
}
