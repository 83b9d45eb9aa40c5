//! Resolves the kernel's next hops to VPP's paths.

use std::collections::{BTreeMap, BTreeSet};

use ahash::AHashMap;
use smallvec::SmallVec;

use crate::route::{
    Family, NextHop, NextHopSet, NextHopSource, Path, PathSet, PathType, RouteType,
};

use crate::table::resolve::fallback::{Fallback, Resolved};
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::resolve::interfaces::{Interfaces, Link, Unmapped};
use crate::table::resolve::nexthops::{NextHopObject, NextHopObjects};

/// The link of IPv6 routes that forward nowhere (blackhole and the like).
pub(in crate::table) const LOOPBACK: &str = "lo";

/// Everything that the resolution of a next-hop set depends on.
#[derive(Default)]
pub(in crate::table) struct Topology {
    pub(in crate::table) interfaces: Interfaces,
    pub(in crate::table) links: AHashMap<u32, Link>,
    pub(in crate::table) objects: NextHopObjects,
    /// The VPP tables of the mirrored kernel tables.
    pub(in crate::table) vpp_tables: BTreeMap<(Family, u32), u32>,
    /// Whether there has been a VRF device.
    pub(in crate::table) had_vrfs: bool,
}

type Hops = SmallVec<[NextHop; 4]>;

impl Topology {
    /// Resolves `set` to the paths that VPP can have.
    pub(in crate::table) fn resolve(&self, set: &NextHopSet) -> Resolved {
        let path_type = match set.route_type {
            _ if forwards(set) => {
                return match self.next_hops(&set.next_hops) {
                    Ok(None) => Resolved::whole(special(set.family, PathType::Drop)),
                    Ok(Some(hops)) => self.paths(set.family, &hops),
                    Err(held) => held.into(),
                };
            }
            RouteType::Unicast | RouteType::Blackhole => PathType::Drop,
            RouteType::Unreachable => PathType::IcmpUnreach,
            RouteType::Prohibit => PathType::IcmpProhibit,
            RouteType::Other(number) => return HoldReason::RouteType(number).into(),
        };
        Resolved::whole(special(set.family, path_type))
    }

    /// Resolves `set` to paths, or to its substitute.
    pub(in crate::table) fn resolve_or_substitute(&self, set: &NextHopSet) -> Resolved {
        let resolved = self.resolve(set);
        match resolved.held {
            Some(held) if resolved.paths.is_none() && takes_fallback(held) => Resolved {
                paths: self.substitute(set.family),
                ..resolved
            },
            _ => resolved,
        }
    }

    fn substitute(&self, family: Family) -> Option<PathSet> {
        match self.interfaces.fallback {
            Fallback::Hold => None,
            Fallback::Drop => Some(special(family, PathType::Drop)),
            Fallback::Punt => Some(special(family, PathType::Local)),
        }
    }

    /// Whether the kernel can currently forward by `set`.
    pub(in crate::table) fn usable(&self, set: &NextHopSet) -> bool {
        if !forwards(set) {
            return true;
        }
        match self.next_hops(&set.next_hops) {
            Ok(Some(hops)) => hops.iter().any(|hop| self.alive(hop)),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether a kernel lookup considers routes of the set: dead next hops are skipped, and those
    /// through links without carrier may be (`ignore_routes_with_linkdown`).
    pub(in crate::table) fn found_by_lookups(&self, set: &NextHopSet) -> bool {
        let works = |link: &Link| link.up && link.carrier;
        let alive = |hop: &NextHop| !hop.dead && self.links.get(&hop.interface).is_some_and(works);
        !forwards(set)
            || match self.next_hops(&set.next_hops) {
                Ok(Some(hops)) => hops.iter().any(alive),
                Ok(None) => true,
                Err(_) => false,
            }
    }

    /// Whether IPv6 routes of the set drop packets because their next-hop object is a blackhole.
    pub(in crate::table) fn is_v6_blackhole_object(&self, set: &NextHopSet) -> bool {
        set.family == Family::V6
            && set.object().is_some()
            && matches!(self.next_hops(&set.next_hops), Ok(None))
    }

    /// Whether one of the set's next hops uses the interface.
    pub(in crate::table) fn uses_interface(&self, set: &NextHopSet, interface: u32) -> bool {
        self.uses(set, |used| used == interface)
    }

    /// Whether one of the set's next hops uses one of the interfaces.
    pub(in crate::table) fn uses_one_of(
        &self,
        set: &NextHopSet,
        interfaces: &BTreeSet<u32>,
    ) -> bool {
        self.uses(set, |used| interfaces.contains(&used))
    }

    pub(in crate::table) fn uses(&self, set: &NextHopSet, is: impl Fn(u32) -> bool) -> bool {
        match self.next_hops(&set.next_hops) {
            Ok(Some(hops)) => hops.iter().any(|hop| is(hop.interface)),
            _ => false,
        }
    }

    /// The next hops, including those of objects; none for a blackhole object.
    pub(in crate::table) fn next_hops(
        &self,
        source: &NextHopSource,
    ) -> Result<Option<Hops>, HoldReason> {
        match source {
            NextHopSource::Inline(hops) => Ok(Some(hops.iter().cloned().collect())),
            NextHopSource::Object(id) => match self.objects.get(*id) {
                None => Err(HoldReason::UnknownNextHop(*id)),
                Some(NextHopObject::Blackhole) => Ok(None),
                Some(NextHopObject::Single(hop)) => Ok(Some(Hops::from_elem(hop.clone(), 1))),
                Some(NextHopObject::Group(members)) => self.members(members),
            },
        }
    }

    fn members(&self, members: &[(u32, u32)]) -> Result<Option<Hops>, HoldReason> {
        let mut hops = Hops::new();
        for &(id, weight) in members {
            match self.objects.get(id) {
                Some(NextHopObject::Single(hop)) => {
                    hops.push(NextHop {
                        weight,
                        ..hop.clone()
                    });
                }
                // The kernel allows a blackhole in a group only as the single member.
                Some(NextHopObject::Blackhole) => return Ok(None),
                Some(NextHopObject::Group(_)) | None => return Err(HoldReason::UnknownNextHop(id)),
            }
        }
        Ok(Some(hops))
    }

    fn alive(&self, hop: &NextHop) -> bool {
        !hop.dead && self.links.get(&hop.interface).is_none_or(|link| link.up)
    }

    fn paths(&self, family: Family, hops: &Hops) -> Resolved {
        let mut next_hops: Vec<(Path, u32)> = Vec::with_capacity(hops.len());
        let mut held = None;
        for hop in hops.iter().filter(|hop| self.alive(hop)) {
            let path = match self.path(family, hop) {
                Ok(path) => path,
                Err(reason) if self.interfaces.skip_next_hops => {
                    held = held.or(Some(reason));
                    continue;
                }
                Err(reason) => return reason.into(),
            };
            match next_hops.iter_mut().find(|(known, _)| *known == path) {
                Some((_, weight)) => *weight = weight.saturating_add(hop.weight),
                None => next_hops.push((path, hop.weight)),
            }
        }
        if next_hops.is_empty() {
            return held.unwrap_or(HoldReason::NoUsableNextHop).into();
        }
        if next_hops.len() > Path::MAX_PATHS {
            return HoldReason::TooManyNextHops(next_hops.len()).into();
        }
        // A single path gets all traffic, whatever its weight.
        if let [(_, weight)] = next_hops.as_mut_slice() {
            *weight = 1;
        }
        let heaviest = next_hops
            .iter()
            .map(|(_, weight)| *weight)
            .max()
            .unwrap_or(1);
        let scaled = |(path, weight)| Path {
            weight: scale(weight, heaviest),
            ..path
        };
        Resolved {
            paths: Some(PathSet::new(next_hops.into_iter().map(scaled).collect())),
            held,
        }
    }

    fn path(&self, family: Family, hop: &NextHop) -> Result<Path, HoldReason> {
        if hop.encapsulation != 0 {
            return Err(HoldReason::Encapsulation(hop.encapsulation));
        }
        if !hop.labels.is_empty() && hop.gateway.is_none() {
            return Err(HoldReason::LabelsWithoutGateway);
        }
        if hop.labels.len() > Path::MAX_LABELS {
            return Err(HoldReason::TooManyLabels(hop.labels.len()));
        }
        if let Some(vrf_table) = self.vrf_table(hop) {
            return self.lookup(family, hop, vrf_table);
        }
        Ok(Path {
            next_hop: hop.gateway,
            sw_if_index: self.sw_if_index(hop)?,
            labels: hop.labels.clone(),
            ..Path::new(PathType::Normal, hop.gateway.map_or(family, Family::of))
        })
    }

    /// The routing table of the VRF that the next hop leads into, unless a VPP interface is mapped to
    /// the device.
    fn vrf_table(&self, hop: &NextHop) -> Option<u32> {
        let link = self.links.get(&hop.interface)?;
        link.vrf_table
            .filter(|_| self.interfaces.of(link).is_none())
    }

    /// A lookup of the packet's destination in another table. As in the kernel a gateway plays no
    /// part in it (`vrf_process_v4_outbound`), and what has been labelled cannot be looked up.
    fn lookup(&self, family: Family, hop: &NextHop, vrf_table: u32) -> Result<Path, HoldReason> {
        if !hop.labels.is_empty() {
            return Err(HoldReason::NoInterface(hop.interface));
        }
        let table = self.vpp_tables.get(&(family, vrf_table));
        Ok(Path {
            table: *table.ok_or(HoldReason::VrfTable(vrf_table))?,
            ..Path::new(PathType::Normal, family)
        })
    }

    fn sw_if_index(&self, hop: &NextHop) -> Result<u32, HoldReason> {
        let link = self.links.get(&hop.interface);
        let mapped = link.and_then(|link| self.interfaces.of(link));
        // VPP must not send packets for the kernel itself out of another interface.
        let is_loopback = link.is_some_and(|link| link.name == LOOPBACK);
        match (mapped, self.interfaces.unmapped) {
            (None, _) if is_loopback => Err(HoldReason::NoInterface(hop.interface)),
            (Some(sw_if_index), _) | (None, Unmapped::Interface(sw_if_index)) => Ok(sw_if_index),
            (None, Unmapped::Recursive) if recursive(hop) => Ok(Path::NO_INTERFACE),
            (None, _) => Err(HoldReason::NoInterface(hop.interface)),
        }
    }
}

/// Whether next hops decide what happens to a packet: also for a blackhole by an object, which may
/// change to another type.
pub(in crate::table) fn forwards(set: &NextHopSet) -> bool {
    match set.route_type {
        RouteType::Unicast => true,
        RouteType::Blackhole => set.object().is_some(),
        _ => false,
    }
}

pub(in crate::table) fn is_at_loopback(set: &NextHopSet) -> bool {
    set.family == Family::V6 && !forwards(set)
}

/// Whether the kernel forwards by a route that is held for this reason, and VPP survives the
/// substitute.
const fn takes_fallback(held: HoldReason) -> bool {
    match held {
        HoldReason::NoInterface(_)
        | HoldReason::VrfTable(_)
        | HoldReason::UnknownNextHop(_)
        | HoldReason::RouteType(_)
        | HoldReason::Encapsulation(_)
        | HoldReason::LabelsWithoutGateway
        | HoldReason::TooManyLabels(_)
        | HoldReason::TooManyNextHops(_) => true,
        // The kernel also continues with a shorter prefix (`fib_table_lookup`, `fib6_backtrack`).
        HoldReason::NoUsableNextHop
        // The route does not apply to VPP's packets.
        | HoldReason::TypeOfService(_)
        | HoldReason::SourceSpecific(_)
        // It has no prefix.
        | HoldReason::MplsRoute
        // VPP must have nothing for the prefix.
        | HoldReason::OverLimit | HoldReason::CrashedVpp | HoldReason::VppFault => false,
    }
}

/// Whether VPP can resolve the gateway itself: there is one, and it is not link-local.
fn recursive(hop: &NextHop) -> bool {
    match hop.gateway {
        Some(std::net::IpAddr::V6(gateway)) => !gateway.is_unicast_link_local(),
        Some(std::net::IpAddr::V4(_)) => true,
        None => false,
    }
}

pub(in crate::table) fn special(family: Family, path_type: PathType) -> PathSet {
    PathSet::new(vec![Path::new(path_type, family)])
}

/// The kernel's weight scaled to VPP's range of 1 to 255; every path keeps a share.
fn scale(weight: u32, heaviest: u32) -> u8 {
    if heaviest <= u32::from(u8::MAX) {
        return u8::try_from(weight.max(1)).unwrap_or(u8::MAX);
    }
    let share = (u64::from(weight) * 255 + u64::from(heaviest) / 2) / u64::from(heaviest);
    u8::try_from(share.max(1)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
