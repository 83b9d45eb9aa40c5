//! Any bytes as a buffer of rtnetlink messages: what the fuzz target and the seeded run hold to.

use bgpreflector_core::netlink::{Action, Messages, Payload, RouteMessage};
use bgpreflector_core::route::NextHopSource;

use super::encode;

/// No panic, the walk ends, errors name their place, and every route survives being written and
/// read again.
pub fn check(bytes: &[u8]) {
    // A message has at least a header; what is left over is at most one error.
    let limit = bytes.len() / 16 + 1;
    let mut beyond = 0;
    for (count, item) in Messages::new(bytes).enumerate() {
        assert!(count < limit, "{limit} messages and no end");
        match item {
            Ok(message) => {
                if let Payload::Route(route) = message.payload {
                    survives(&route);
                }
            }
            Err(error) => {
                assert!(error.offset >= beyond && error.offset < bytes.len());
                assert!(error.offset % 4 == 0);
                assert!(!error.to_string().is_empty());
                beyond = error.offset + 4;
            }
        }
    }
}

/// Nothing of a route is lost when it is written and read again, but for what is kept as a digest.
fn survives(message: &RouteMessage) {
    let mut message = message.clone();
    message.route.set.digest = 0;
    if let NextHopSource::Inline(hops) = &mut message.route.set.next_hops {
        hops.iter_mut().for_each(|hop| hop.digest = 0);
    }
    let mut bytes = Vec::new();
    match message.action {
        Action::New => encode::put_new_route(&mut bytes, &message.route),
        Action::Delete => encode::put_delete_route(&mut bytes, &message.route),
    }
    let again = Messages::new(&bytes).next().expect("a message");
    assert_eq!(again.expect("a route").payload, Payload::Route(message));
}
