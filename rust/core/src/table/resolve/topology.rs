//! Resolves the kernel's next hops to VPP's paths.

use std::collections::BTreeSet;

use ahash::AHashMap;
use smallvec::SmallVec;

use crate::route::{
    Family, NextHop, NextHopSet, NextHopSource, Path, PathKind, PathSet, RouteType,
};

use crate::table::resolve::fallback::Resolved;
use crate::table::resolve::hold_reason::HoldReason;
use crate::table::resolve::interfaces::{Interfaces, Link, Unmapped};
use crate::table::resolve::links::LOOPBACK;
use crate::table::resolve::nexthops::{NextHopObject, NextHopObjects};

/// Everything that the resolution of a next-hop set depends on.
#[derive(Default)]
pub(in crate::table) struct Topology {
    pub(in crate::table) interfaces: Interfaces,
    pub(in crate::table) links: AHashMap<u32, Link>,
    pub(in crate::table) objects: NextHopObjects,
}

type Hops = SmallVec<[NextHop; 4]>;

impl Topology {
    /// Resolves `set` to the paths that VPP can have.
    pub(in crate::table) fn resolve(&self, set: &NextHopSet) -> Resolved {
        let kind = match set.route_type {
            _ if forwards(set) => {
                return match self.next_hops(&set.next_hops) {
                    Ok(None) => Resolved::whole(special(set.family, PathKind::Drop)),
                    Ok(Some(hops)) => self.paths(set.family, &hops),
                    Err(held) => held.into(),
                };
            }
            RouteType::Unicast | RouteType::Blackhole => PathKind::Drop,
            RouteType::Unreachable => PathKind::IcmpUnreach,
            RouteType::Prohibit => PathKind::IcmpProhibit,
            RouteType::Other(number) => return HoldReason::RouteType(number).into(),
        };
        Resolved::whole(special(set.family, kind))
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
            && matches!(set.next_hops, NextHopSource::Object(_))
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
        let mut legs: Vec<(Path, u32)> = Vec::with_capacity(hops.len());
        let mut held = None;
        for hop in hops.iter().filter(|hop| self.alive(hop)) {
            let path = match self.path(family, hop) {
                Ok(path) => path,
                Err(reason) if self.interfaces.skip_legs => {
                    held = held.or(Some(reason));
                    continue;
                }
                Err(reason) => return reason.into(),
            };
            match legs.iter_mut().find(|(known, _)| *known == path) {
                Some((_, weight)) => *weight = weight.saturating_add(hop.weight),
                None => legs.push((path, hop.weight)),
            }
        }
        if legs.is_empty() {
            return held.unwrap_or(HoldReason::NoUsableNextHop).into();
        }
        if legs.len() > Path::MAX_PATHS {
            return HoldReason::TooManyNextHops(legs.len()).into();
        }
        // A single path gets all traffic, whatever its weight.
        if let [(_, weight)] = legs.as_mut_slice() {
            *weight = 1;
        }
        let heaviest = legs.iter().map(|(_, weight)| *weight).max().unwrap_or(1);
        let scaled = |(path, weight)| Path {
            weight: scale(weight, heaviest),
            ..path
        };
        Resolved {
            paths: Some(PathSet::new(legs.into_iter().map(scaled).collect())),
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
        Ok(Path {
            kind: PathKind::Normal,
            family: hop.gateway.map_or(family, |gateway| match gateway {
                std::net::IpAddr::V4(_) => Family::V4,
                std::net::IpAddr::V6(_) => Family::V6,
            }),
            next_hop: hop.gateway,
            sw_if_index: self.sw_if_index(hop)?,
            table: 0,
            weight: 1,
            preference: 0,
            labels: hop.labels.clone(),
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
        RouteType::Blackhole => matches!(set.next_hops, NextHopSource::Object(_)),
        _ => false,
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

pub(in crate::table) fn special(family: Family, kind: PathKind) -> PathSet {
    PathSet::new(vec![Path {
        kind,
        family,
        next_hop: None,
        sw_if_index: Path::NO_INTERFACE,
        table: 0,
        weight: 1,
        preference: 0,
        labels: SmallVec::new(),
    }])
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
mod tests {
    use super::*;

    fn topology() -> Topology {
        let mut topology = Topology::default();
        topology.interfaces.map = [("a".into(), 20), ("b".into(), 30)].into_iter().collect();
        for (index, name) in [(2, "a"), (3, "b"), (4, "c")] {
            topology.links.insert(
                index,
                Link {
                    name: name.into(),
                    up: true,
                    carrier: true,
                    address: None,
                },
            );
        }
        topology
    }

    /// The paths of a route that VPP can have completely.
    fn resolve(topology: &Topology, set: &NextHopSet) -> Result<PathSet, HoldReason> {
        let resolved = topology.resolve_or_substitute(set);
        match resolved.held {
            Some(held) => Err(held),
            None => Ok(resolved.paths.unwrap()),
        }
    }

    fn set(hops: Vec<NextHop>) -> NextHopSet {
        NextHopSet::new(
            Family::V4,
            RouteType::Unicast,
            NextHopSource::Inline(hops.into()),
        )
    }

    fn hop(gateway: &str, interface: u32, weight: u32) -> NextHop {
        NextHop {
            weight,
            ..NextHop::new(gateway.parse().ok(), interface)
        }
    }

    #[test]
    fn weights_scale_without_losing_a_leg() {
        let hops = vec![
            hop("10.0.0.1", 2, 1),
            hop("10.0.0.2", 2, 65_536),
            hop("10.0.0.3", 3, 32_768),
        ];
        let paths = resolve(&topology(), &set(hops)).unwrap();
        let weights: Vec<u8> = paths.paths().iter().map(|path| path.weight).collect();
        assert_eq!(weights, [1, 255, 128]);
    }

    #[test]
    fn legs_that_are_one_path_in_vpp_add_up() {
        let mut topology = topology();
        topology.interfaces.map.insert("c".into(), 20);
        let hops = vec![
            hop("10.0.0.1", 2, 3),
            hop("10.0.0.1", 4, 4),
            hop("10.0.0.2", 2, 1),
        ];
        let paths = resolve(&topology, &set(hops)).unwrap();
        assert_eq!(paths.paths().len(), 2);
        assert_eq!(paths.paths()[0].weight, 7);
    }

    #[test]
    fn a_dead_leg_is_left_out_and_the_last_one_is_said() {
        let mut topology = topology();
        let both = set(vec![hop("10.0.0.1", 2, 1), hop("10.0.0.2", 3, 1)]);
        let down = Link {
            name: "b".into(),
            up: false,
            carrier: false,
            address: None,
        };
        topology.links.insert(3, down.clone());
        assert_eq!(resolve(&topology, &both).unwrap().paths().len(), 1);
        topology.links.insert(2, down);
        assert_eq!(resolve(&topology, &both), Err(HoldReason::NoUsableNextHop));
        assert!(!topology.usable(&both));
    }

    #[test]
    fn unmapped_interfaces_follow_the_choice() {
        let mut topology = topology();
        let unmapped = set(vec![hop("10.0.0.1", 9, 1)]);
        let device_only = set(vec![hop("", 9, 1)]);
        assert_eq!(
            resolve(&topology, &unmapped),
            Err(HoldReason::NoInterface(9))
        );
        topology.interfaces.unmapped = Unmapped::Recursive;
        let paths = resolve(&topology, &unmapped).unwrap();
        assert_eq!(paths.paths()[0].sw_if_index, Path::NO_INTERFACE);
        assert_eq!(
            resolve(&topology, &device_only),
            Err(HoldReason::NoInterface(9))
        );
        topology.interfaces.unmapped = Unmapped::Interface(7);
        assert_eq!(
            resolve(&topology, &device_only).unwrap().paths()[0].sw_if_index,
            7
        );
        let loopback = Link {
            name: "lo".into(),
            up: true,
            carrier: true,
            address: None,
        };
        topology.links.insert(9, loopback);
        assert_eq!(
            resolve(&topology, &device_only),
            Err(HoldReason::NoInterface(9))
        );
        assert_eq!(
            resolve(&topology, &unmapped),
            Err(HoldReason::NoInterface(9))
        );
        topology.interfaces.map.insert("lo".into(), 5);
        assert!(resolve(&topology, &device_only).is_ok());
    }

    #[test]
    fn what_vpp_has_no_place_for_is_said() {
        let topology = topology();
        let other = NextHopSet {
            route_type: RouteType::Other(9),
            ..set(vec![])
        };
        assert_eq!(resolve(&topology, &other), Err(HoldReason::RouteType(9)));
        let encapsulated = NextHop {
            encapsulation: 5,
            ..hop("10.0.0.1", 2, 1)
        };
        assert_eq!(
            resolve(&topology, &set(vec![encapsulated])),
            Err(HoldReason::Encapsulation(5))
        );
        let labelled = NextHop {
            labels: [16].into_iter().collect(),
            ..hop("", 2, 1)
        };
        assert_eq!(
            resolve(&topology, &set(vec![labelled])),
            Err(HoldReason::LabelsWithoutGateway)
        );
        let many = (0..256)
            .map(|n| hop(&format!("10.0.{n}.1"), 2, 1))
            .collect();
        assert_eq!(
            resolve(&topology, &set(many)),
            Err(HoldReason::TooManyNextHops(256))
        );
    }

    #[test]
    fn objects_and_groups_resolve_to_their_next_hops() {
        let mut topology = topology();
        let by_object = |id| NextHopSet {
            next_hops: NextHopSource::Object(id),
            ..set(vec![])
        };
        assert_eq!(
            resolve(&topology, &by_object(1)),
            Err(HoldReason::UnknownNextHop(1))
        );
        topology
            .objects
            .insert(1, NextHopObject::Single(hop("10.0.0.1", 2, 1)));
        topology.objects.insert(2, NextHopObject::Blackhole);
        topology
            .objects
            .insert(3, NextHopObject::Group(vec![(1, 9)]));
        assert_eq!(resolve(&topology, &by_object(1)).unwrap().paths().len(), 1);
        assert_eq!(
            resolve(&topology, &by_object(2)).unwrap().paths()[0].kind,
            PathKind::Drop
        );
        assert_eq!(
            resolve(&topology, &by_object(3)).unwrap().paths()[0].weight,
            1
        );
    }
}
