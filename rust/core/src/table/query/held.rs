//! Counts of held routes.

use std::collections::{BTreeMap, HashMap};

use crate::table::Table;
use crate::table::resolve::hold_reason::HoldReason;

impl Table {
    /// Routes of mirrored protocols that VPP cannot have, by reason ([`HoldReason::name`]): the
    /// best of their prefix, those with a TOS, source-specific ones, and those by label.
    #[must_use]
    pub fn held_routes(&self) -> BTreeMap<&'static str, usize> {
        let mut reasons = BTreeMap::new();
        if self.with_tos > 0 {
            reasons.insert(HoldReason::TypeOfService(0).name(), self.with_tos);
        }
        for (key, _) in self.source_specific_routes() {
            let name = HoldReason::SourceSpecific(key.2).name();
            *reasons.entry(name).or_default() += 1;
        }
        reasons.extend(self.held_labels());
        if self.quarantine.is_empty() {
            for (set, count) in self.resolver.held() {
                let reason = self.resolver.resolution(set).held;
                let name = reason.unwrap_or(HoldReason::OverLimit).name();
                *reasons.entry(name).or_default() += count;
            }
        } else {
            // Quarantine holds by prefix, not by set.
            for handle in self.slots() {
                let entry = self.entry(handle);
                let target = entry.and_then(|entry| self.target(handle, entry));
                if let Some(held) = target.and_then(|target| target.held) {
                    *reasons.entry(held.name()).or_default() += 1;
                }
            }
        }
        reasons
    }

    /// Routes held because their interface has no counterpart in VPP, by the interface's name, or
    /// its index if the kernel shows none.
    #[must_use]
    pub fn held_interfaces(&self) -> HashMap<String, usize> {
        let mut by_index = BTreeMap::<u32, usize>::new();
        for (set, count) in self.resolver.held() {
            if let Some(HoldReason::NoInterface(index)) = self.resolver.resolution(set).held {
                *by_index.entry(index).or_default() += count;
            }
        }
        let names: HashMap<u32, &str> = self.links().map(|(i, l)| (i, l.name.as_str())).collect();
        let name = |index: u32| match names.get(&index) {
            Some(name) => (*name).to_owned(),
            None => format!("interface {index}"),
        };
        by_index.into_iter().map(|(i, n)| (name(i), n)).collect()
    }
}
