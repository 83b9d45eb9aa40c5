//! zebra's next-hop ids, which each run of zebra assigns from the start.
//!
//! Routes of a closed connection stay until the next connection has sent all routes, and so do the
//! objects behind their ids. An id of the new connection that is already in use therefore gets
//! another number in the table.

use ahash::{AHashMap, AHashSet};

use crate::netlink::NextHopMessage;
use crate::route::{NextHopSet, NextHopSource};

/// The first substitute id; the next ones count down. zebra assigns ids from 1 up, and 750,000,000
/// and more to next hops chosen by daemons (`ZEBRA_NHG_PROTO_LOWER`).
const FIRST_SUBSTITUTE: u32 = 749_999_999;

/// Ids of the connection and their numbers in the table: equal, except for those that were in use.
#[derive(Debug, Default)]
pub struct NextHopIds {
    before: AHashSet<u32>,
    substitutes: AHashMap<u32, u32>,
    originals: AHashMap<u32, u32>,
    /// How many numbers from [`FIRST_SUBSTITUTE`] down were tried: all of them are in use, or were,
    /// so that a search does not begin anew for each id.
    tried: u32,
}

impl NextHopIds {
    /// Begins a connection, whose ids are unrelated to the numbers that the table has now.
    pub fn begin(&mut self, in_table: impl IntoIterator<Item = u32>) {
        self.before = in_table.into_iter().collect();
        self.substitutes.clear();
        self.originals.clear();
        self.tried = 0;
    }

    /// Reports that the connection has sent all routes; returns the numbers of earlier connections,
    /// which no remaining route refers to.
    pub fn forget_previous(&mut self) -> Vec<u32> {
        self.before.drain().collect()
    }

    /// The number in the table of an id of this connection.
    pub fn number(&mut self, id: u32) -> u32 {
        if let Some(number) = self.substitutes.get(&id) {
            return *number;
        }
        let taken =
            |number: &u32| self.before.contains(number) || self.originals.contains_key(number);
        if !taken(&id) {
            return id;
        }
        // There are more numbers than there could be next hops.
        let untried = FIRST_SUBSTITUTE.saturating_sub(self.tried);
        let free = (1..=untried).rev().find(|number| !taken(number));
        let number = free.unwrap_or(id);
        self.tried = free.map_or(FIRST_SUBSTITUTE, |number| FIRST_SUBSTITUTE - number + 1);
        self.substitutes.insert(id, number);
        self.originals.insert(number, id);
        number
    }

    /// The id of this connection that the number stands for; none where it is of an earlier one.
    #[must_use]
    pub fn id(&self, number: u32) -> Option<u32> {
        let itself = (!self.before.contains(&number)).then_some(number);
        self.originals.get(&number).copied().or(itself)
    }

    /// Puts the numbers in the place of a next-hop object's ids.
    pub fn translate(&mut self, message: &mut NextHopMessage) {
        message.id = self.number(message.id);
        for (member, _) in &mut message.group {
            *member = self.number(*member);
        }
    }

    /// Puts the number in the place of the id that a route refers to.
    #[must_use]
    pub fn translate_set(&mut self, mut set: NextHopSet) -> NextHopSet {
        if let NextHopSource::Object(id) = &mut set.next_hops {
            *id = self.number(*id);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_as_they_are_until_they_mean_something_else() {
        let mut ids = NextHopIds::default();
        ids.begin([]);
        assert_eq!((ids.number(7), ids.number(8)), (7, 8));
        assert_eq!(ids.forget_previous(), []);
        ids.begin([7, 8]);
        let seven = ids.number(7);
        assert_ne!(seven, 7, "routes of before still refer to 7");
        assert_eq!(ids.number(7), seven);
        assert_eq!((ids.id(seven), ids.id(7)), (Some(7), None));
        assert_eq!((ids.number(9), ids.id(9)), (9, Some(9)));
        // A connection that was lost leaves both mappings.
        ids.begin([7, 8, 9, seven]);
        let again = ids.number(7);
        assert!(![7, seven].contains(&again));
        let mut before = ids.forget_previous();
        before.sort_unstable();
        assert_eq!(before, [7, 8, 9, seven]);
        assert_eq!(ids.number(7), again, "the connection goes on as it began");
        assert_eq!(ids.number(8), 8);
    }

    /// Searched anew for each id, it would take minutes.
    #[test]
    fn a_zebra_with_many_groups_that_starts_again() {
        const MANY: u32 = 200_000;
        let mut ids = NextHopIds::default();
        ids.begin((1..=MANY).chain([FIRST_SUBSTITUTE - 1]));
        let numbers: AHashSet<u32> = (1..=MANY).map(|id| ids.number(id)).collect();
        assert_eq!(numbers.len() as u32, MANY);
        let last = FIRST_SUBSTITUTE - MANY;
        assert!(numbers.contains(&last) && !numbers.contains(&(FIRST_SUBSTITUTE - 1)));
        assert!(numbers.iter().all(|number| ids.id(*number) > Some(0)));
    }

    #[test]
    fn an_id_like_a_substitute_gets_another() {
        let mut ids = NextHopIds::default();
        ids.begin([1]);
        assert_eq!(ids.number(1), FIRST_SUBSTITUTE);
        assert_eq!(ids.number(FIRST_SUBSTITUTE), FIRST_SUBSTITUTE - 1);
        ids.forget_previous();
        assert_eq!(ids.number(1), FIRST_SUBSTITUTE);
        assert_eq!(ids.id(FIRST_SUBSTITUTE - 1), Some(FIRST_SUBSTITUTE));
    }
}
