use super::*;

fn topology() -> Topology {
    let mut topology = Topology::default();
    topology.interfaces.map = [("a".into(), 20), ("b".into(), 30)].into_iter().collect();
    for (index, name) in [(2, "a"), (3, "b"), (4, "c")] {
        topology.links.insert(index, link(name, true));
    }
    topology
}

fn link(name: &str, up: bool) -> Link {
    Link {
        name: name.into(),
        up,
        carrier: up,
        address: None,
        vrf_table: None,
    }
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
fn weights_scale_without_losing_a_next_hop() {
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
fn next_hops_that_are_one_path_in_vpp_add_up() {
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
fn a_dead_next_hop_is_left_out_and_the_last_one_is_said() {
    let mut topology = topology();
    let both = set(vec![hop("10.0.0.1", 2, 1), hop("10.0.0.2", 3, 1)]);
    topology.links.insert(3, link("b", false));
    assert_eq!(resolve(&topology, &both).unwrap().paths().len(), 1);
    topology.links.insert(2, link("a", false));
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
    topology.links.insert(9, link("lo", true));
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
        resolve(&topology, &by_object(2)).unwrap().paths()[0].path_type,
        PathType::Drop
    );
    assert_eq!(
        resolve(&topology, &by_object(3)).unwrap().paths()[0].weight,
        1
    );
}
