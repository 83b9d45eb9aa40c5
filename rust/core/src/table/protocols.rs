//! Which routing protocols are mirrored.

/// A set of routing protocols (`rtm_protocol`) as a bit map: a lookup costs the same for any
/// number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocols([u64; 4]);

impl Protocols {
    /// Whether the protocol is in the set.
    #[must_use]
    pub fn contains(&self, protocol: u8) -> bool {
        self.0
            .get(usize::from(protocol >> 6))
            .is_some_and(|word| word >> (protocol & 63) & 1 != 0)
    }
}

impl FromIterator<u8> for Protocols {
    fn from_iter<I: IntoIterator<Item = u8>>(protocols: I) -> Self {
        let mut set = Self::default();
        for protocol in protocols {
            if let Some(word) = set.0.get_mut(usize::from(protocol >> 6)) {
                *word |= 1 << (protocol & 63);
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_it_was_made_of() {
        let chosen = [0, 12, 63, 64, 127, 128, 186, 255];
        let set = Protocols::from_iter(chosen);
        for protocol in 0..=u8::MAX {
            assert_eq!(
                set.contains(protocol),
                chosen.contains(&protocol),
                "{protocol}"
            );
        }
    }
}
