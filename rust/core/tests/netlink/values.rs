//! Values of messages: sizes, what may not be missing, and what a route would be without it.

use super::support::encode::{message, rtmsg_of_v4 as rtmsg, with};
use super::support::only;
use bgpreflector_core::netlink::constants::{
    AF_MPLS, AF_UNSPEC, IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_VRF_TABLE, NHA_ENCAP,
    NHA_ENCAP_TYPE, NHA_GATEWAY, NHA_GROUP, NHA_ID, NHA_OP_FLAGS, RTA_DST, RTA_ENCAP,
    RTA_ENCAP_TYPE, RTA_GATEWAY, RTA_MULTIPATH, RTA_NEWDST, RTA_OIF, RTA_TABLE, RTA_VIA,
    RTM_DELROUTE, RTM_NEWLINK, RTM_NEWNEXTHOP, RTM_NEWROUTE,
};
use bgpreflector_core::netlink::{Action, DecodeErrorKind, LabelRouteMessage, Payload};
use bgpreflector_core::route::{LabelHop, LabelRoute, NextHop, NextHopSource};

fn new_route(attributes: &[(u16, &[u8])]) -> Result<Payload, DecodeErrorKind> {
    let destination: (u16, &[u8]) = (RTA_DST, &[198, 51, 100, 0]);
    let attributes = [&[destination], attributes].concat();
    only(&message(RTM_NEWROUTE, 0, &with(rtmsg(24), &attributes)))
}

#[test]
fn values_of_the_wrong_size_are_errors() {
    let sizes: [(u16, &[u8]); 6] = [
        (RTA_GATEWAY, &[1; 5]),
        (RTA_GATEWAY, &[1; 16]),
        (RTA_TABLE, &[1; 3]),
        (RTA_OIF, &[]),
        (RTA_VIA, &[2]),
        (RTA_VIA, &[10, 0, 1, 2, 3, 4]),
    ];
    for (kind, value) in sizes {
        let size = match (kind, value.len()) {
            (RTA_VIA, 6) => 4,
            (_, length) => length,
        };
        let problem = DecodeErrorKind::AttributeSize {
            attribute: kind,
            length: size,
        };
        assert_eq!(new_route(&[(kind, value)]), Err(problem));
    }
    let family = DecodeErrorKind::AddressFamily(17);
    assert_eq!(new_route(&[(RTA_VIA, &[17, 0, 1, 2])]), Err(family));
    let group = with(
        vec![0; 8],
        &[(NHA_ID, &[1, 0, 0, 0]), (NHA_GROUP, &[0; 12])],
    );
    let size = DecodeErrorKind::AttributeSize {
        attribute: NHA_GROUP,
        length: 12,
    };
    assert_eq!(only(&message(RTM_NEWNEXTHOP, 0, &group)), Err(size));
}

#[test]
fn a_prefix_needs_its_address() {
    let default = only(&message(RTM_NEWROUTE, 0, &rtmsg(0)));
    assert!(matches!(default, Ok(Payload::Route(_))), "{default:?}");
    let missing = only(&message(RTM_NEWROUTE, 0, &rtmsg(24)));
    assert_eq!(missing, Err(DecodeErrorKind::Missing("RTA_DST")));
    let body = with(rtmsg(33), &[(RTA_DST, &[1; 4])]);
    let long = only(&message(RTM_NEWROUTE, 0, &body));
    assert_eq!(long, Err(DecodeErrorKind::PrefixLength(33)));
}

#[test]
fn no_next_hop_is_lost_without_a_message() {
    let next_hop = |length: u8| [length, 0, 0, 0, 7, 0, 0, 0];
    let multipath = |value: &[u8]| new_route(&[(RTA_MULTIPATH, value)]);
    let two = [next_hop(8), next_hop(8)].concat();
    let Ok(Payload::Route(route)) = multipath(&two) else {
        panic!("two next hops");
    };
    let hops = [NextHop::new(None, 7), NextHop::new(None, 7)];
    let hops = NextHopSource::Inline(hops.into_iter().collect());
    assert_eq!(route.route.set.next_hops, hops);
    for broken in [
        &two[..15],
        &two[..9],
        &[next_hop(8), next_hop(7)].concat(),
        &next_hop(9),
        &next_hop(0),
    ] {
        assert_eq!(
            multipath(broken),
            Err(DecodeErrorKind::AttributeLength),
            "{broken:?}"
        );
    }
}

#[test]
fn no_encapsulation_is_lost_without_a_message() {
    let mpls = 1_u16.to_ne_bytes();
    let hop: (u16, &[u8]) = (RTA_OIF, &[7, 0, 0, 0]);
    let no_labels = Err(DecodeErrorKind::Missing("MPLS_IPTUNNEL_DST"));
    assert_eq!(new_route(&[hop, (RTA_ENCAP_TYPE, &mpls)]), no_labels);
    let empty = [hop, (RTA_ENCAP_TYPE, &mpls), (RTA_ENCAP, &[])];
    assert_eq!(new_route(&empty), no_labels);
    let no_type = Err(DecodeErrorKind::Missing("RTA_ENCAP_TYPE"));
    assert_eq!(new_route(&[hop, (RTA_ENCAP, &[])]), no_type);
    let uneven = [8, 0, 1, 0, 0, 1, 1];
    let uneven = [hop, (RTA_ENCAP_TYPE, &mpls), (RTA_ENCAP, &uneven)];
    assert_eq!(new_route(&uneven), Err(DecodeErrorKind::AttributeLength));
    let object = [(NHA_ID, &[1, 0, 0, 0][..]), (NHA_ENCAP_TYPE, &mpls)];
    let body = with(vec![0; 8], &object);
    assert_eq!(only(&message(RTM_NEWNEXTHOP, 0, &body)), no_labels);
}

#[test]
fn next_hop_objects_need_an_id() {
    let missing = only(&message(RTM_NEWNEXTHOP, 0, &[AF_UNSPEC; 8]));
    assert_eq!(missing, Err(DecodeErrorKind::Missing("NHA_ID")));
    let labels = [8, 0, 1, 0, 0, 1, 1, 0];
    let attributes: [(u16, &[u8]); 4] = [
        (NHA_ID, &[9, 0, 0, 0]),
        (NHA_GATEWAY, &[192, 0, 2, 7]),
        (NHA_ENCAP_TYPE, &[1, 0]),
        (NHA_ENCAP, &labels),
    ];
    let body = with(vec![2, 0, 0, 0, 5, 0, 0, 0], &attributes);
    let Ok(Payload::NextHop(object)) = only(&message(RTM_NEWNEXTHOP, 0, &body)) else {
        panic!("an object");
    };
    let hop = NextHop {
        onlink: true,
        dead: true,
        labels: [16].into_iter().collect(),
        ..NextHop::new(Some("192.0.2.7".parse().unwrap()), 0)
    };
    assert_eq!((object.id, object.next_hop), (9, Some(hop)));
}

#[test]
fn the_high_byte_of_a_weight_counts_only_where_the_kernel_cleared_it() {
    let members = [7, 0, 0, 0, 0x34, 0x12, 9, 9, 8, 0, 0, 0, 0xff, 0xff, 0, 0];
    let cleared = (1_u32 << 31).to_ne_bytes();
    let group = |attributes: &[(u16, &[u8])]| {
        let body = with(vec![AF_UNSPEC; 8], attributes);
        match only(&message(RTM_NEWNEXTHOP, 0, &body)) {
            Ok(Payload::NextHop(object)) => object.group.to_vec(),
            other => panic!("{other:?}"),
        }
    };
    let id: (u16, &[u8]) = (NHA_ID, &[1, 0, 0, 0]);
    let members: (u16, &[u8]) = (NHA_GROUP, &members);
    let other_flags: (u16, &[u8]) = (NHA_OP_FLAGS, &[3, 0, 0, 0]);
    let wide = group(&[id, members, (NHA_OP_FLAGS, &cleared)]);
    assert_eq!(wide, [(7, 0x1235), (8, 65_536)]);
    assert_eq!(group(&[id, members]), [(7, 0x35), (8, 256)]);
    assert_eq!(group(&[id, members, other_flags]), [(7, 0x35), (8, 256)]);
}

/// The VRF table of a link with this `IFLA_LINKINFO`, as the decoder sees it.
fn vrf_table(info: &[u8]) -> Option<u32> {
    let body = with(vec![0; 16], &[(IFLA_LINKINFO, info)]);
    match only(&message(RTM_NEWLINK, 0, &body)).unwrap() {
        Payload::Link(link) => link.vrf_table,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_vrf_tells_its_table_and_another_link_has_none() {
    const NESTED: u16 = 1 << 15;
    let info = |kind: &[u8], data: &[(u16, &[u8])]| {
        let data = with(vec![], data);
        with(
            vec![],
            &[(IFLA_INFO_KIND, kind), (NESTED | IFLA_INFO_DATA, &data)],
        )
    };
    let table: &[(u16, &[u8])] = &[(IFLA_VRF_TABLE, &1000_u32.to_ne_bytes())];
    assert_eq!(vrf_table(&info(b"vrf\0", table)), Some(1000));
    assert_eq!(vrf_table(&info(b"vrf", table)), Some(1000));
    // The same number is something else in the data of another kind.
    assert_eq!(vrf_table(&info(b"vlan\0", table)), None);
    assert_eq!(vrf_table(&info(b"vrf\0", &[])), None);
    assert_eq!(
        vrf_table(&info(b"vrf\0", &[(IFLA_VRF_TABLE, &[1, 0])])),
        None
    );
    assert_eq!(vrf_table(&[]), None);
    // What does not fit in it is no error of the link.
    assert_eq!(vrf_table(&[200, 0, 1, 0]), None);
}

/// A stack of labels as it is on the wire.
fn stack(labels: &[u32]) -> Vec<u8> {
    let entry = |label: &u32| (label << 12).to_be_bytes();
    labels.iter().flat_map(entry).collect()
}

fn label_route(kind: u16, attributes: &[(u16, &[u8])]) -> Result<Payload, DecodeErrorKind> {
    let rtmsg = vec![AF_MPLS, 20, 0, 0, 254, 193, 0, 1, 0, 0, 0, 0];
    only(&message(kind, 0, &with(rtmsg, attributes)))
}

fn of(action: Action, label: u32, hops: Vec<LabelHop>) -> Result<Payload, DecodeErrorKind> {
    let route = LabelRoute {
        protocol: 193,
        hops,
    };
    let message = LabelRouteMessage {
        action,
        label,
        route,
    };
    Ok(Payload::LabelRoute(Box::new(message)))
}

fn label_hop(labels: &[u32], gateway: Option<&str>, interface: u32) -> LabelHop {
    LabelHop {
        labels: labels.into(),
        gateway: gateway.map(|gateway| gateway.parse().unwrap()),
        interface,
    }
}

#[test]
fn routes_by_label_are_swaps_pops_and_pushes() {
    let (label, out, two) = (stack(&[16]), stack(&[1_048_575]), 2_u32.to_ne_bytes());
    let via: (u16, &[u8]) = (RTA_VIA, &[2, 0, 10, 0, 0, 1]);
    let key: (u16, &[u8]) = (RTA_DST, &label);
    let oif: (u16, &[u8]) = (RTA_OIF, &two);
    let swap = label_route(RTM_NEWROUTE, &[key, (RTA_NEWDST, &out), via, oif]);
    let hop = label_hop(&[1_048_575], Some("10.0.0.1"), 2);
    assert_eq!(swap, of(Action::New, 16, vec![hop]));
    let pushed = stack(&[100, 200]);
    let push = label_route(RTM_NEWROUTE, &[key, (RTA_NEWDST, &pushed), via, oif]);
    let hop = label_hop(&[100, 200], Some("10.0.0.1"), 2);
    assert_eq!(push, of(Action::New, 16, vec![hop]));
    let pop = label_route(RTM_NEWROUTE, &[key, oif]);
    assert_eq!(pop, of(Action::New, 16, vec![label_hop(&[], None, 2)]));
    // To a hardware address.
    let ethernet: (u16, &[u8]) = (RTA_VIA, &[17, 0, 1, 2, 3, 4, 5, 6]);
    let bare = label_route(RTM_NEWROUTE, &[key, ethernet, oif]);
    assert_eq!(bare, of(Action::New, 16, vec![label_hop(&[], None, 2)]));
    assert_eq!(
        label_route(RTM_DELROUTE, &[key]),
        of(Action::Delete, 16, vec![])
    );
}

#[test]
fn routes_by_label_have_several_next_hops() {
    let (label, out) = (stack(&[16]), stack(&[17]));
    let hop = |interface: u8, attributes: &[(u16, &[u8])]| {
        let mut bytes = with(vec![0, 0, 0, 0, interface, 0, 0, 0], attributes);
        bytes[0] = u8::try_from(bytes.len()).unwrap();
        bytes
    };
    let via: (u16, &[u8]) = (RTA_VIA, &[2, 0, 10, 0, 0, 1]);
    let hops = [hop(2, &[(RTA_NEWDST, &out), via]), hop(3, &[via])].concat();
    let several = label_route(RTM_NEWROUTE, &[(RTA_DST, &label), (RTA_MULTIPATH, &hops)]);
    let expected = vec![
        label_hop(&[17], Some("10.0.0.1"), 2),
        label_hop(&[], Some("10.0.0.1"), 3),
    ];
    assert_eq!(several, of(Action::New, 16, expected));
    for end in [1, 7, 9, hops.len() - 3] {
        let broken = label_route(
            RTM_NEWROUTE,
            &[(RTA_DST, &label), (RTA_MULTIPATH, &hops[..end])],
        );
        assert_eq!(broken, Err(DecodeErrorKind::AttributeLength), "{end}");
    }
    let missing = Err(DecodeErrorKind::Missing("RTA_DST"));
    assert_eq!(label_route(RTM_NEWROUTE, &[]), missing);
    let size = |attribute, length| Err(DecodeErrorKind::AttributeSize { attribute, length });
    assert_eq!(
        label_route(RTM_NEWROUTE, &[(RTA_DST, &[1; 3])]),
        size(RTA_DST, 3)
    );
    let odd = label_route(RTM_NEWROUTE, &[(RTA_DST, &label), (RTA_NEWDST, &[1; 5])]);
    assert_eq!(odd, size(RTA_NEWDST, 5));
}
