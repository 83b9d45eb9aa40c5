//! Allow and deny lists of prefixes, in which the longest match decides.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use prefix_trie::PrefixMap;
use smallvec::SmallVec;

use crate::route::{Family, Prefix};

/// What a rule does with the prefixes that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleAction {
    /// They are mirrored.
    Allow,
    /// They are not.
    Deny,
}

/// A rule for the prefixes within `within` whose length is one of `lengths`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixRule {
    /// The prefix itself and all more specific ones.
    pub within: Prefix,
    /// Prefix lengths to which the rule applies.
    pub lengths: RangeInclusive<u8>,
    /// What it does.
    pub action: RuleAction,
}

type Rules = SmallVec<[(RangeInclusive<u8>, RuleAction); 1]>;

/// Rules by prefix. Of the matching rules the one with the longest prefix decides, and of equals
/// [`RuleAction::Deny`]. A prefix without a match is mirrored unless its family has an allow rule.
#[derive(Clone, Debug, Default)]
pub struct PrefixLists {
    v4: PrefixMap<(u32, u8), Rules>,
    v6: PrefixMap<(u128, u8), Rules>,
    allow_listed: [bool; 2],
}

impl PrefixLists {
    /// Lists of these rules.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = PrefixRule>) -> Self {
        let mut lists = Self::default();
        for rule in rules {
            lists.add(rule);
        }
        lists
    }

    fn add(&mut self, rule: PrefixRule) {
        let PrefixRule {
            within,
            lengths,
            action,
        } = rule;
        let [v4, v6] = &mut self.allow_listed;
        let listed = match within.family() {
            Family::V4 => v4,
            Family::V6 => v6,
        };
        *listed |= action == RuleAction::Allow;
        let length = within.length();
        let rules = match within.address() {
            IpAddr::V4(address) => self.v4.entry((address.into(), length)).or_default(),
            IpAddr::V6(address) => self.v6.entry((address.into(), length)).or_default(),
        };
        rules.push((lengths, action));
    }

    /// Whether `prefix` is mirrored.
    #[must_use]
    #[inline]
    pub fn allow(&self, prefix: &Prefix) -> bool {
        // Most configurations have no lists, and a lookup in an empty trie costs a tenth of storing
        // a route.
        (self.v4.is_empty() && self.v6.is_empty()) || self.decide(prefix)
    }

    fn decide(&self, prefix: &Prefix) -> bool {
        let (length, [v4, v6]) = (prefix.length(), self.allow_listed);
        let (action, listed) = match prefix.address() {
            IpAddr::V4(_) if self.v4.is_empty() => (None, v4),
            IpAddr::V6(_) if self.v6.is_empty() => (None, v6),
            IpAddr::V4(address) => {
                let covering = self.v4.cover_values(&(address.into(), length));
                (decide(covering, length), v4)
            }
            IpAddr::V6(address) => {
                let covering = self.v6.cover_values(&(address.into(), length));
                (decide(covering, length), v6)
            }
        };
        action.map_or(!listed, |action| action == RuleAction::Allow)
    }
}

/// The action of the longest of the covering prefixes, which are in ascending order.
fn decide<'a>(covering: impl Iterator<Item = &'a Rules>, length: u8) -> Option<RuleAction> {
    let action = |rules: &Rules| {
        let mut matching = rules
            .iter()
            .filter(|(lengths, _)| lengths.contains(&length))
            .map(|(_, action)| *action);
        let first = matching.next()?;
        let denied = first == RuleAction::Deny || matching.any(|other| other == RuleAction::Deny);
        Some(if denied {
            RuleAction::Deny
        } else {
            RuleAction::Allow
        })
    };
    covering.filter_map(action).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(within: &str, lengths: RangeInclusive<u8>, action: RuleAction) -> PrefixRule {
        let within = within.parse().unwrap();
        PrefixRule {
            within,
            lengths,
            action,
        }
    }

    fn allows(lists: &PrefixLists, prefix: &str) -> bool {
        lists.allow(&prefix.parse().unwrap())
    }

    #[test]
    fn without_rules_everything_is_mirrored() {
        let lists = PrefixLists::default();
        assert!(allows(&lists, "0.0.0.0/0") && allows(&lists, "2001:db8::1/128"));
    }

    #[test]
    fn the_longest_match_decides_and_bounds_count() {
        use RuleAction::{Allow, Deny};
        let lists = PrefixLists::new([
            rule("10.0.0.0/8", 8..=24, Allow),
            rule("10.1.0.0/16", 16..=32, Deny),
            rule("10.1.2.0/24", 24..=32, Allow),
        ]);
        for (prefix, allowed) in [
            ("10.0.0.0/8", true),
            ("10.2.3.0/24", true),
            ("10.2.3.0/25", false),
            ("10.1.0.0/16", false),
            ("10.1.2.0/24", true),
            ("10.1.2.3/32", true),
            ("10.1.3.0/24", false),
            ("192.0.2.0/24", false),
            ("2001:db8::/32", true),
        ] {
            assert_eq!(allows(&lists, prefix), allowed, "{prefix}");
        }
    }

    #[test]
    fn where_both_lists_name_a_prefix_it_is_denied() {
        let both = [RuleAction::Deny, RuleAction::Allow].map(|v| rule("10.0.0.0/8", 8..=32, v));
        let mut turned = both.clone();
        turned.reverse();
        for rules in [both, turned] {
            assert!(!allows(&PrefixLists::new(rules), "10.0.0.0/8"));
        }
    }

    #[test]
    fn a_deny_list_alone_leaves_the_rest() {
        let lists = PrefixLists::new([rule("fc00::/7", 7..=128, RuleAction::Deny)]);
        assert!(!allows(&lists, "fd00::/8") && allows(&lists, "2001:db8::/32"));
    }

    fn rules() -> impl Strategy<Value = Vec<PrefixRule>> {
        let one = (0..8_u32, 0..=4_u8, 0..=5_u8, 0..=3_u8, any::<bool>());
        prop::collection::vec(one, 0..8).prop_map(|rules| {
            let rule = |(bits, length, low, more, allow): (u32, u8, u8, u8, bool)| PrefixRule {
                within: Prefix::v4(bits << 28, length),
                lengths: low..=low + more,
                action: if allow {
                    RuleAction::Allow
                } else {
                    RuleAction::Deny
                },
            };
            rules.into_iter().map(rule).collect()
        })
    }

    /// The definition, as a linear search through all rules.
    fn by_search(rules: &[PrefixRule], prefix: Prefix) -> bool {
        let matches = |rule: &&PrefixRule| {
            let (within, length) = (rule.within, rule.within.length());
            let cut = Prefix::new(prefix.address(), length.min(prefix.length())).unwrap();
            cut == within && rule.lengths.contains(&prefix.length())
        };
        let matching: Vec<&PrefixRule> = rules.iter().filter(matches).collect();
        let Some(longest) = matching.iter().map(|rule| rule.within.length()).max() else {
            return !rules.iter().any(|rule| rule.action == RuleAction::Allow);
        };
        let mut best = matching.iter().filter(|r| r.within.length() == longest);
        best.all(|rule| rule.action == RuleAction::Allow)
    }

    proptest! {
        #[test]
        fn the_trie_says_what_a_search_says(
            rules in rules(), bits in 0..16_u32, length in 0..=6_u8
        ) {
            let prefix = Prefix::v4(bits << 28, length);
            let lists = PrefixLists::new(rules.clone());
            prop_assert_eq!(lists.allow(&prefix), by_search(&rules, prefix));
        }
    }
}
