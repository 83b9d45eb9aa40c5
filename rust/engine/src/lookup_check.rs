//! Compares VPP's forwarding with the kernel's own answer to a lookup.

use bgpreflector_core::route::{NextHopSet, PathSet, PathType, Prefix};
use bgpreflector_core::table::{HoldReason, Table};
use bgpreflector_core::vpp::Faults;
use bgpreflector_core::vpp::canonical::installed_paths;

use crate::engine::Engine;
use crate::error::KernelError;
use crate::kernel::{LookupResult, PrefixLookup, is_covered, look_up_prefixes};

bgpreflector_core::named_enum! {
    /// Whether VPP forwards a prefix as the kernel does.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Verdict {
        /// It does.
        Same = "same",
        /// It does not.
        Different = "different",
        /// The kernel decides by a route that VPP cannot mirror there: of another table, for a policy
        /// rule or as the address is its own, or of a protocol that is not mirrored.
        OtherRoute = "other_route",
        /// Undecidable: longer prefixes cover the address, or a change is in progress.
        Unknown = "unknown",
    }
}

/// What the kernel and VPP have for a prefix.
#[derive(Clone, Debug)]
pub struct LookupCheck {
    /// The kernel's answer.
    pub answer: PrefixLookup,
    /// The paths that it resolves to; none for an error.
    pub expected: Option<Result<PathSet, HoldReason>>,
    /// The paths that VPP has.
    pub installed: Option<PathSet>,
    /// Whether VPP forwards as the kernel does.
    pub verdict: Verdict,
}

impl Engine {
    /// What the kernel itself answers for each prefix of a kernel table, and whether VPP forwards so.
    ///
    /// # Errors
    /// [`KernelError`]
    pub fn check_lookups(
        &self,
        prefixes: &[(u32, Prefix)],
    ) -> Result<Vec<LookupCheck>, KernelError> {
        let namespace = self.settings.kernel.namespace.as_deref();
        let answers = look_up_prefixes(namespace, prefixes)?;
        let (table, faults) = (self.shared().table(), self.shared().faults());
        let checked = |answer| check(&table, faults, answer);
        Ok(answers.into_iter().map(checked).collect())
    }

    /// The paths that a kernel route resolves to, and whether they match `shown`, which VPP has for
    /// a prefix.
    ///
    /// # Errors
    /// [`HoldReason`] if VPP can have no paths for it.
    pub fn compare_with_kernel(
        &self,
        route: &NextHopSet,
        vpp_table: u32,
        prefix: &Prefix,
        shown: Option<&PathSet>,
    ) -> Result<(PathSet, bool), HoldReason> {
        let (desired, faults) = (
            self.shared().table().paths_for(route)?,
            self.shared().faults(),
        );
        let same = shown.is_some_and(|shown| {
            paths_forward_the_same(faults, vpp_table, prefix, &desired, shown)
        });
        Ok((desired, same))
    }
}

/// Checks what VPP has for a prefix by the kernel's answer.
pub(crate) fn check(table: &Table, faults: Faults, answer: PrefixLookup) -> LookupCheck {
    let (kernel_table, prefix) = answer.requested;
    let expected = match &answer.found {
        LookupResult::Route(route) => Some(table.paths_given_for(&route.set)),
        _ => None,
    };
    let (installed, in_sync) = table.installed(kernel_table, &prefix);
    let installed = installed.cloned();
    let vpp_table = table.vpp_table_of(kernel_table, prefix.family());
    let verdict = match (&answer.found, vpp_table) {
        (_, None) | (LookupResult::Unreadable(_), _) => Verdict::Unknown,
        _ if !in_sync || is_covered(answer.requested, &answer.found) => Verdict::Unknown,
        (LookupResult::Route(route), Some(vpp_table)) => {
            let key = &route.key;
            if key.table != kernel_table {
                Verdict::OtherRoute
            } else if key.prefix != prefix {
                // By a shorter one: it has none for the prefix.
                of(installed.is_none())
            } else if !table.mirrors(route.protocol) {
                // Ours may be in VPP behind it where such routes are ignored.
                match installed {
                    Some(_) => Verdict::OtherRoute,
                    None => Verdict::Same,
                }
            } else {
                match (&expected, &installed) {
                    (Some(Ok(desired)), Some(has)) => of(paths_forward_the_same(
                        faults, vpp_table, &prefix, desired, has,
                    )),
                    (Some(Err(_)), None) => Verdict::Same,
                    // VPP has a substitute, or some of the next hops.
                    (Some(Err(_)), Some(_)) => Verdict::Unknown,
                    _ => Verdict::Different,
                }
            }
        }
        (LookupResult::Error(errno), _) => of(match (&installed, error_kind(*errno)) {
            (Some(has), Some(_)) => drops(has),
            (has, _) => has.is_none(),
        }),
    };
    LookupCheck {
        answer,
        expected,
        installed,
        verdict,
    }
}

const fn of(same: bool) -> Verdict {
    if same {
        Verdict::Same
    } else {
        Verdict::Different
    }
}

/// Whether VPP forwards by `shown`, in a dump's form or a request's, as by `desired`.
fn paths_forward_the_same(
    faults: Faults,
    vpp_table: u32,
    prefix: &Prefix,
    desired: &PathSet,
    shown: &PathSet,
) -> bool {
    let shown = installed_paths(prefix, shown);
    faults.shows_as(vpp_table, prefix, desired, &shown) || (drops(desired) && drops(&shown))
}

/// Whether all that is matched is dropped, with a message to the sender or without.
fn drops(paths: &PathSet) -> bool {
    paths.paths().iter().all(|path| path.path_type.drops())
}

/// What an IPv4 route is whose error the kernel answers with.
const fn error_kind(errno: i32) -> Option<PathType> {
    match errno {
        libc::EINVAL => Some(PathType::Drop),
        libc::EHOSTUNREACH => Some(PathType::IcmpUnreach),
        libc::EACCES => Some(PathType::IcmpProhibit),
        _ => None,
    }
}
