//! Any bytes as a stream of VPP API frames: what the fuzz target and the seeded run hold to.

use bgpreflector_core::vpp::keepalive::answer_keepalive;
use bgpreflector_core::vpp::path::decode_path;
use bgpreflector_core::vpp::route::{decode_route_add_del, decode_route_add_del_v2};
use bgpreflector_core::vpp::route_dump::dumped_paths;
use bgpreflector_core::vpp::{
    ControlPingReply, EmptyRequest, FibSourceAdd, FibSourceAddReply, FibSourceDetails, FrameReader,
    IpRoute, IpTableAddDel, IpTableDetails, PlainReply, RouteDetails, RouteDump, RouteLookup,
    RouteLookupReply, RouteReply, SockclntCreate, SockclntCreateReply, SockclntDelete,
};

/// No panic, the cuts do not matter, and every message is decoded or refused. The first byte
/// selects how the stream is cut.
pub fn check(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else {
        return;
    };
    let whole = messages([stream]);
    let cut_up = messages(stream.chunks(usize::from(*cut).max(1)));
    assert_eq!(whole, cut_up);
    for message in &whole.0 {
        read(message);
    }
}

/// Puts bytes into the reader, as from a socket.
pub fn receive(reader: &mut FrameReader, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let length = reader.spare().len().min(bytes.len());
        let (now, later) = bytes.split_at(length);
        reader.spare()[..length].copy_from_slice(now);
        reader.advance(length);
        bytes = later;
    }
}

/// The messages of a stream, and whether it ended at an impossible header.
fn messages<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, bool) {
    let mut reader = FrameReader::new(1 << 20);
    let mut all = Vec::new();
    for part in parts {
        receive(&mut reader, part);
        loop {
            match reader.next_message() {
                Ok(Some(message)) => all.push(message.to_vec()),
                Ok(None) => break,
                Err(_) => return (all, true),
            }
        }
    }
    (all, false)
}

/// Decodes a message as each that there is.
pub fn read(message: &[u8]) {
    let paths = |route: IpRoute<'_>| {
        let _ = route.paths.to_set();
        let _ = dumped_paths(&route.prefix, route.paths);
    };
    let _ = decode_path(message);
    let _ = decode_route_add_del_v2(message).map(|request| paths(request.route));
    let _ = decode_route_add_del(message).map(|request| paths(request.route));
    let _ = RouteDetails::decode(message).map(|details| paths(details.route));
    let _ = RouteLookupReply::decode(message).map(|reply| paths(reply.route));
    let _ = (RouteReply::decode(message), RouteDump::decode(message));
    let _ = (
        RouteLookup::decode(message),
        SockclntCreate::decode(message),
    );
    let _ = (
        SockclntCreateReply::decode(message),
        SockclntDelete::decode(message),
    );
    let _ = (
        ControlPingReply::decode(message),
        EmptyRequest::decode(message),
    );
    let _ = (PlainReply::decode(message), IpTableAddDel::decode(message));
    let _ = (
        IpTableDetails::decode(message),
        FibSourceAdd::decode(message),
    );
    let _ = (
        FibSourceAddReply::decode(message),
        FibSourceDetails::decode(message),
    );
    let _ = answer_keepalive(message, 22, &mut Vec::new());
}
