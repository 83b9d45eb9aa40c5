//! Routes that crash VPP, by its version, and what is sent in their place.
//!
//! | sent | crashes VPP |
//! | --- | --- |
//! | a drop into a table other than 0 | before 24.10 (24.02 measured; 22.10 survives it) |
//! | an ICMP unreachable or prohibited into a table other than 0 | before 26.02 |
//! | labels without a gateway | every release: the route is held, see [`HoldReason`](crate::table::HoldReason) |
//!
//! The cause of the first two (`fib_api_path_decode` in `fib_api.c`): the decoder leaves
//! `frp_sw_if_index` at 0 for these types, and VPP then looks up interface 0 in that table.

use std::borrow::Cow;

use super::canonical::installed_paths;
use crate::route::{Path, PathSet, PathType, Prefix};

/// The faults that a VPP has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// A drop into a table other than 0 crashes it.
    pub drop: bool,
    /// An ICMP unreachable or prohibited into a table other than 0 crashes it.
    pub icmp: bool,
}

/// First release that survives a drop in every table: year and month.
const DROP_FIXED_IN: (u16, u16) = (24, 10);
/// First release that survives the ICMP types in every table.
const ICMP_FIXED_IN: (u16, u16) = (26, 2);

impl Faults {
    /// A VPP with none of them.
    pub const NONE: Self = Self {
        drop: false,
        icmp: false,
    };
    /// An unknown VPP: every substitute is safe on all releases.
    pub const ALL: Self = Self {
        drop: true,
        icmp: true,
    };

    /// The faults of a version as `show_version` returns it (`25.06-release`, `26.10-rc0~12-gabc`);
    /// all of them if it does not begin with year and month.
    #[must_use]
    pub fn of_version(version: &str) -> Self {
        release(version).map_or(Self::ALL, |release| Self {
            drop: release < DROP_FIXED_IN,
            icmp: release < ICMP_FIXED_IN,
        })
    }

    /// Whether no form of a drop of this prefix is safe for VPP: the alternative needs an address.
    #[must_use]
    pub fn no_form_for(self, vpp_table: u32, prefix: &Prefix) -> bool {
        self.drop && vpp_table != 0 && prefix.address().is_unspecified()
    }

    /// What is sent for `paths`: themselves, or a drop in a form that this VPP survives. None where
    /// there is no such form ([`Self::no_form_for`]).
    ///
    /// That is a path of the drop type, or one through the prefix's own address, which VPP makes a
    /// drop after it has decoded it (`fib_table_route_path_fixup` in `fib_table.c`). Its dump shows
    /// a drop for both.
    #[must_use]
    pub fn survivable<'a>(
        self,
        vpp_table: u32,
        prefix: &Prefix,
        paths: &'a PathSet,
    ) -> Option<Cow<'a, PathSet>> {
        if vpp_table == 0
            || !paths
                .paths()
                .iter()
                .any(|path| self.crashes_on(path.path_type))
        {
            return Some(Cow::Borrowed(paths));
        }
        if self.no_form_for(vpp_table, prefix) {
            return None;
        }
        let drop = if self.drop {
            Path {
                next_hop: Some(prefix.address()),
                ..Path::new(PathType::Normal, prefix.family())
            }
        } else {
            Path::new(PathType::Drop, prefix.family())
        };
        Some(Cow::Owned(PathSet::new(vec![drop])))
    }

    /// Whether a dump shows `shown`, in canonical form, for a route whose desired paths are
    /// `desired`.
    #[must_use]
    pub fn shows_as(
        self,
        vpp_table: u32,
        prefix: &Prefix,
        desired: &PathSet,
        shown: &PathSet,
    ) -> bool {
        let sent = self.survivable(vpp_table, prefix, desired);
        sent.is_some_and(|sent| *installed_paths(prefix, &sent) == *shown)
    }

    const fn crashes_on(self, path_type: PathType) -> bool {
        match path_type {
            PathType::Normal | PathType::Local => false,
            PathType::Drop => self.drop,
            PathType::IcmpUnreach | PathType::IcmpProhibit => self.icmp,
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::ALL
    }
}

fn release(version: &str) -> Option<(u16, u16)> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let (year, rest) = version.split_once('.')?;
    let month = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((year.parse().ok()?, month.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Family;

    fn special(path_type: PathType) -> PathSet {
        PathSet::new(vec![Path::new(path_type, Family::V4)])
    }

    #[test]
    fn the_version_decides() {
        for (version, drop, icmp) in [
            ("22.10-release", true, true),
            ("24.02-release", true, true),
            ("24.06.0-vyos", true, true),
            ("24.10-rc1~3-gabc", false, true),
            ("v25.06.0-4~g12", false, true),
            ("25.10", false, true),
            ("26.02-release", false, false),
            ("26.10-rc0~100-g1", false, false),
            ("custom build", true, true),
            ("", true, true),
        ] {
            assert_eq!(
                Faults::of_version(version),
                Faults { drop, icmp },
                "{version}"
            );
        }
    }

    #[test]
    fn what_crashes_vpp_becomes_a_drop_that_it_shows_as_one() {
        let prefix: Prefix = "10.9.0.0/16".parse().unwrap();
        let shown = special(PathType::Drop);
        for version in ["22.10", "24.02", "25.06", "26.06"] {
            let faults = Faults::of_version(version);
            for path_type in [
                PathType::Drop,
                PathType::IcmpUnreach,
                PathType::IcmpProhibit,
            ] {
                let desired = special(path_type);
                let sent = faults.survivable(10, &prefix, &desired).unwrap();
                let safe = sent
                    .paths()
                    .iter()
                    .all(|path| !faults.crashes_on(path.path_type));
                assert!(safe, "{version} {path_type:?}");
                if faults.crashes_on(path_type) {
                    assert_eq!(
                        *installed_paths(&prefix, &sent),
                        shown,
                        "{version} {path_type:?}"
                    );
                } else {
                    assert_eq!(*sent, desired);
                }
                assert_eq!(*faults.survivable(0, &prefix, &desired).unwrap(), desired);
            }
        }
    }

    #[test]
    fn a_default_route_has_no_such_form_before_drops_are_safe() {
        let default: Prefix = "0.0.0.0/0".parse().unwrap();
        let unreachable = special(PathType::IcmpUnreach);
        let of = |version, table| {
            let faults = Faults::of_version(version);
            faults.survivable(table, &default, &unreachable).is_some()
        };
        assert!(!of("24.02", 10));
        assert!(of("24.02", 0));
        assert!(of("25.06", 10));
    }
}
