//! What cannot be encoded is refused with a specific error; each return code of VPP maps to a
//! reaction.

use std::net::IpAddr;

use bgpreflector_core::route::{Family, Path, PathSet, PathType, Prefix};
use bgpreflector_core::vpp::canonical::installed_paths;
use bgpreflector_core::vpp::keepalive::answer_keepalive;
use bgpreflector_core::vpp::path::{PATH_LENGTH, decode_path, encode_path};
use bgpreflector_core::vpp::retval::Retval;
use bgpreflector_core::vpp::route::decode_route_add_del_v2;
use bgpreflector_core::vpp::{
    EmptyRequest, EncodedPaths, FibSource, FibSourceAdd, IpTable, IpTableDetails, PlainReply,
    RouteEncoder, SockclntCreate, SockclntCreateReply, WireError, bytes,
};

fn path() -> Path {
    Path {
        next_hop: Some([10, 0, 0, 7].into()),
        sw_if_index: 1,
        ..Path::new(PathType::Normal, Family::V4)
    }
}

fn encoded(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_path(path, &mut bytes).unwrap();
    bytes
}

fn refused(path: &Path) -> WireError {
    let mut bytes = Vec::new();
    let error = encode_path(path, &mut bytes).unwrap_err();
    assert!(bytes.is_empty());
    error
}

#[test]
fn a_path_that_does_not_fit_is_refused_whole() {
    let labels = |labels: Vec<u32>| Path {
        labels: labels.into(),
        ..path()
    };
    assert_eq!(encoded(&labels(vec![16; 16])).len(), PATH_LENGTH);
    assert_eq!(refused(&labels(vec![16; 17])), WireError::TooManyLabels(17));
    assert_eq!(
        refused(&labels(vec![0xf_ffff, 1 << 20])),
        WireError::LabelValue(1 << 20)
    );
    let next_hop: IpAddr = "2001:db8::1".parse().unwrap();
    let mixed = Path {
        next_hop: Some(next_hop),
        ..path()
    };
    let family = Family::V4;
    assert_eq!(
        refused(&mixed),
        WireError::NextHopFamily { next_hop, family }
    );
}

#[test]
fn two_hundred_and_fifty_five_paths_fit_and_no_more() {
    let paths = |count| PathSet::new(vec![path(); count]);
    let most = EncodedPaths::new(&paths(255)).unwrap();
    assert_eq!(most.count(), 255);
    assert_eq!(
        EncodedPaths::new(&paths(256)),
        Err(WireError::TooManyPaths(256))
    );
    let mut out = Vec::new();
    RouteEncoder::new(400, 1, 1).replace(&mut out, 1, 0, &Prefix::v4(0, 0), &most);
    let request = decode_route_add_del_v2(&out[16..]).unwrap();
    assert_eq!(request.route.paths.to_set().unwrap().paths().len(), 255);
    let length = u32::try_from(40 + 255 * PATH_LENGTH).unwrap();
    assert_eq!(out[8..12], length.to_be_bytes());
}

#[test]
fn paths_of_no_type_of_ours_are_named() {
    let damaged = |at: usize, byte| {
        let mut bytes = encoded(&path());
        bytes[at] = byte;
        decode_path(&bytes)
    };
    assert_eq!(damaged(17, 3), Err(WireError::PathType(3)));
    assert_eq!(damaged(25, 2), Err(WireError::PathProtocol(2)));
    assert_eq!(damaged(54, 17), Err(WireError::TooManyLabels(17)));
}

#[test]
fn prefixes_that_are_none_are_named() {
    let mut out = Vec::new();
    RouteEncoder::new(400, 1, 1).delete(&mut out, 1, 0, &"10.0.0.0/8".parse().unwrap());
    let mut too_long = out[16..].to_vec();
    too_long[37] = 33;
    let (address, family, length) = ([10, 0, 0, 0].into(), Family::V4, 33);
    let expected = WireError::PrefixLength {
        address,
        family,
        length,
    };
    assert_eq!(decode_route_add_del_v2(&too_long), Err(expected.clone()));
    assert_eq!(
        expected.to_string(),
        "prefix length 33 exceeds the 32 bits of 10.0.0.0"
    );
    let mut strange = out[16..].to_vec();
    strange[20] = 2;
    assert_eq!(
        decode_route_add_del_v2(&strange),
        Err(WireError::AddressFamily(2))
    );
    assert_eq!(bytes::request_header(&too_long), Ok((1, 1)));
    assert_eq!(bytes::message_id(&too_long), Some(400));
}

#[test]
fn names_that_do_not_fit_leave_the_buffer_alone() {
    let create = |name: &str| SockclntCreate {
        context: 1,
        name: name.to_owned().into(),
    };
    let mut out = b"kept".to_vec();
    assert_eq!(create(&"n".repeat(63)).encode(&mut out), Ok(()));
    assert_eq!(out.len(), 4 + 86);
    for name in ["n".repeat(64), "a\0b".to_owned()] {
        let mut out = b"kept".to_vec();
        assert!(create(&name).encode(&mut out).is_err());
        let source = FibSource {
            priority: 1,
            id: 0,
            name: name.clone().into(),
        };
        let add = FibSourceAdd {
            client_index: 1,
            context: 1,
            source,
        };
        assert!(add.encode(1, &mut out).is_err());
        let table = IpTable {
            table: 1,
            family: Family::V4,
            name: name.clone().into(),
        };
        assert!(
            IpTableDetails { context: 1, table }
                .encode(1, &mut out)
                .is_err()
        );
        assert!(SockclntCreateReply::encode(&mut out, 1, 1, [(1, &*name)]).is_err());
        assert_eq!(out, b"kept");
    }
}

#[test]
fn another_clients_name_that_is_no_text_does_not_spoil_the_dump() {
    let mut out = Vec::new();
    let table = IpTable {
        table: 1,
        family: Family::V4,
        name: "xy".into(),
    };
    IpTableDetails { context: 1, table }
        .encode(1, &mut out)
        .unwrap();
    let at = out.iter().position(|byte| *byte == b'x').unwrap();
    out[at] = 0xff;
    let details = IpTableDetails::decode(&out[16..]).unwrap();
    assert_eq!(details.table.name, "\u{fffd}y");
}

#[test]
fn a_keepalive_is_answered_with_its_context() {
    let (mut keepalive, mut answer) = (Vec::new(), Vec::new());
    EmptyRequest {
        client_index: 7,
        context: 7,
    }
    .encode(21, &mut keepalive);
    answer_keepalive(&keepalive[16..], 22, &mut answer).unwrap();
    let reply = PlainReply::decode(&answer[16..]).unwrap();
    assert_eq!(
        reply,
        PlainReply {
            context: 7,
            retval: 0
        }
    );
    assert_eq!(bytes::message_id(&answer[16..]), Some(22));
    assert!(answer_keepalive(&keepalive[16..20], 22, &mut answer).is_err());
}

#[test]
fn a_route_through_itself_is_shown_as_a_drop() {
    let prefix: Prefix = "10.0.0.7/32".parse().unwrap();
    let recursive = Path {
        sw_if_index: Path::NO_INTERFACE,
        table: 9,
        ..path()
    };
    let set = PathSet::new(vec![recursive]);
    let installed = installed_paths(&prefix, &set);
    let shown = &installed.paths()[0];
    assert_eq!(
        (shown.path_type, shown.next_hop, shown.table),
        (PathType::Drop, None, 0)
    );
}

#[test]
fn a_host_route_through_a_device_is_the_same_with_its_own_address() {
    let host: Prefix = "10.0.0.7/32".parse().unwrap();
    let device_only = PathSet::new(vec![Path {
        next_hop: None,
        ..path()
    }]);
    let own_address = PathSet::new(vec![path()]);
    assert_eq!(*installed_paths(&host, &own_address), device_only);
    assert_eq!(*installed_paths(&host, &device_only), device_only);
    let other: Prefix = "10.0.0.8/32".parse().unwrap();
    assert_eq!(*installed_paths(&other, &own_address), own_address);
    let network: Prefix = "10.0.0.7/31".parse().unwrap();
    assert_eq!(*installed_paths(&network, &own_address), own_address);
}

#[test]
fn return_codes_say_whether_a_retry_is_worth_it() {
    for (code, name, is_permanent) in [
        (-3, "NO_SUCH_FIB", false),
        (-6, "NO_SUCH_ENTRY", false),
        (-52, "NO_PATHS_IN_ROUTE", true),
        (-54, "NO_MATCHING_INTERFACE", false),
        (-167, "BUSY", false),
        (-171, "INVALID_PREFIX_LENGTH", true),
    ] {
        assert_eq!(Retval(code).name(), Some(name));
        assert_eq!(Retval(code).is_permanent(), is_permanent, "{name}");
    }
    assert!(!Retval(0).is_permanent());
    assert!(!Retval(-9999).is_permanent());
}

#[test]
fn return_codes_read_as_sentences() {
    let text = Retval::NO_MATCHING_INTERFACE.to_string();
    assert_eq!(
        text,
        "a path's interface does not exist in VPP (NO_MATCHING_INTERFACE, -54)"
    );
    assert_eq!(Retval(-9999).to_string(), "VPP error -9999");
    assert_eq!(Retval(0).to_string(), "accepted");
}
