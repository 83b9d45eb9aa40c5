//! The walk over a buffer: message boundaries, messages after a malformed one, and messages that
//! are not about routes.

use super::support::captures::{self, Kind};
use super::support::encode::{message, put_message, put_new_route, rtmsg_of_v4 as rtmsg, with};
use super::support::only;
use bgpreflector_core::netlink::constants::{
    NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN,
    NLMSGERR_ATTR_MSG, RTM_F_CLONED, RTM_NEWLINK, RTM_NEWNEXTHOP, RTM_NEWROUTE,
};
use bgpreflector_core::netlink::{
    DecodeError, DecodeErrorKind, Message, Messages, Payload, SkipReason,
};
use bgpreflector_core::route::Route;

fn all(bytes: &[u8]) -> Vec<Result<Message, DecodeError>> {
    Messages::new(bytes).collect()
}

fn good() -> Route {
    captures::load()
        .iter()
        .filter(|capture| capture.kind == Kind::Dump)
        .find_map(|capture| captures::route(&capture.expected["routes"][0]))
        .unwrap()
}

#[test]
fn the_walk_goes_on_behind_a_malformed_message() {
    let mut bytes = Vec::new();
    put_new_route(&mut bytes, &good());
    let offset = bytes.len();
    put_message(&mut bytes, RTM_NEWROUTE, 0, &rtmsg(33));
    put_new_route(&mut bytes, &good());
    let second = bytes.len();
    put_message(&mut bytes, RTM_NEWLINK, 0, &[0; 15]);
    put_new_route(&mut bytes, &good());

    let all = all(&bytes);
    let failed = |kind, offset, problem| {
        Err(DecodeError {
            kind,
            offset,
            problem,
        })
    };
    assert_eq!(all.len(), 5);
    for at in [0, 2, 4] {
        let Payload::Route(route) = &all[at].as_ref().unwrap().payload else {
            panic!("{all:?}");
        };
        assert_eq!(route.route, good());
    }
    assert_eq!(
        all[1],
        failed(RTM_NEWROUTE, offset, DecodeErrorKind::Missing("RTA_DST"))
    );
    let short = DecodeErrorKind::Short("struct ifinfomsg");
    assert_eq!(all[3], failed(RTM_NEWLINK, second, short));
}

#[test]
fn a_length_that_does_not_fit_ends_the_walk() {
    for length in [0_u32, 1, 15, 61, 1 << 20, u32::MAX] {
        let mut bytes = Vec::new();
        put_new_route(&mut bytes, &good());
        let offset = bytes.len();
        put_message(&mut bytes, NLMSG_NOOP, 0, &[0; 44]);
        bytes[offset..offset + 4].copy_from_slice(&length.to_ne_bytes());
        let all = all(&bytes);
        assert_eq!(all.len(), 2, "{length}");
        assert!(all[0].is_ok());
        let error = all[1].clone().unwrap_err();
        assert_eq!((error.kind, error.offset), (NLMSG_NOOP, offset));
        let length = length as usize;
        assert_eq!(error.problem, DecodeErrorKind::Length { length, left: 60 });
    }
}

#[test]
fn a_header_that_is_cut_off_is_an_error_at_its_place() {
    for left in 1..16 {
        let mut bytes = Vec::new();
        put_new_route(&mut bytes, &good());
        let offset = bytes.len();
        bytes.resize(offset + left, 0);
        let error = all(&bytes).remove(1).unwrap_err();
        assert_eq!((error.kind, error.offset), (0, offset));
        assert_eq!(error.problem, DecodeErrorKind::Short("struct nlmsghdr"));
    }
    assert!(all(&[]).is_empty());
}

#[test]
fn the_last_message_needs_no_padding() {
    let mut bytes = message(NLMSG_NOOP, 0, &[1]);
    assert_eq!(bytes.len(), 20);
    put_message(&mut bytes, NLMSG_OVERRUN, 0, &[1, 2, 3]);
    bytes.pop();
    let bodies: Vec<Payload> = all(&bytes)
        .into_iter()
        .map(|m| m.unwrap().payload)
        .collect();
    assert_eq!(bodies, [Payload::Noop, Payload::Overrun]);
}

#[test]
fn the_end_of_a_dump_has_an_error_number() {
    assert!(only(&message(NLMSG_DONE, 0, &[])).is_err());
    let minus_two = (-2_i32).to_ne_bytes();
    assert_eq!(
        only(&message(NLMSG_DONE, 0, &minus_two)),
        Ok(Payload::Done(-2))
    );
}

#[test]
fn the_kernels_words_stand_behind_the_request_or_its_header() {
    let errno = (-22_i32).to_ne_bytes();
    let request = message(RTM_NEWROUTE, 5, &[7; 21]);
    let cookie: (u16, &[u8]) = (3, &[1; 5]);
    let words: (u16, &[u8]) = (NLMSGERR_ATTR_MSG, b"No such thing\0");
    let expected = Ok(Payload::Error {
        errno: -22,
        text: Some("No such thing".into()),
    });
    let silent = Ok(Payload::Error {
        errno: -22,
        text: None,
    });
    let behind = |request: &[u8], flags, attributes: &[(u16, &[u8])]| {
        let body = with([&errno, request].concat(), attributes);
        only(&message(NLMSG_ERROR, flags, &body))
    };
    let whole = NLM_F_ACK_TLVS;
    let capped = NLM_F_ACK_TLVS | NLM_F_CAPPED;
    assert_eq!(behind(&request, whole, &[cookie, words]), expected);
    assert_eq!(behind(&request[..16], capped, &[cookie, words]), expected);
    assert_eq!(behind(&request, whole, &[cookie]), silent);
    assert_eq!(behind(&request, 0, &[words]), silent);
    assert_eq!(behind(&[255; 16], whole, &[words]), silent);
    let short = Err(DecodeErrorKind::Short("struct nlmsgerr"));
    assert_eq!(only(&message(NLMSG_ERROR, 0, &[1, 2, 3])), short);
    assert_eq!(only(&message(NLMSG_ERROR, whole, &errno)), short);
}

#[test]
fn foreign_messages_have_a_reason() {
    let skipped = |kind, body: &[u8]| match only(&message(kind, 0, body)) {
        Ok(Payload::Skipped(reason)) => reason,
        other => panic!("{other:?}"),
    };
    let route = |at: usize, value: u8| {
        let mut body = rtmsg(0);
        body[at] = value;
        body
    };
    assert_eq!(skipped(28, &[0; 12]), SkipReason::Type);
    assert_eq!(skipped(RTM_NEWROUTE, &route(0, 128)), SkipReason::Family);
    assert_eq!(skipped(RTM_NEWROUTE, &route(0, 129)), SkipReason::Family);
    assert_eq!(
        skipped(RTM_NEWNEXTHOP, &[7, 0, 0, 0, 0, 0, 0, 0]),
        SkipReason::Family
    );
    assert_eq!(
        skipped(RTM_NEWROUTE, &route(2, 64)),
        SkipReason::SourceSpecific
    );
    let mut cloned = rtmsg(0);
    cloned[8..].copy_from_slice(&RTM_F_CLONED.to_ne_bytes());
    assert_eq!(skipped(RTM_NEWROUTE, &cloned), SkipReason::Cloned);
}
