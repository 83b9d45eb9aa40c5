//! Encodes the table's requests.

use std::borrow::Cow;

use ahash::AHashMap;
use bgpreflector_core::route::{PathSet, Prefix};
use bgpreflector_core::table::{Request, Table};
use bgpreflector_core::vpp::{EncodedPaths, Faults, RouteEncoder};

/// Requests encoded under one lock of the table, which bounds the kernel reader's wait.
pub(super) const CHUNK: usize = 256;

/// Encodes requests; each path set once.
pub(super) struct Encoder {
    message_id: u16,
    client_index: u32,
    routes: RouteEncoder,
    faults: Faults,
    /// None if the paths cannot be encoded.
    paths: AHashMap<usize, (u32, Option<EncodedPaths>)>,
}

impl Encoder {
    pub(super) fn new(message_id: u16, client_index: u32) -> Self {
        let routes = RouteEncoder::new(message_id, client_index, 0);
        Self {
            message_id,
            client_index,
            routes,
            faults: Faults::ALL,
            paths: AHashMap::new(),
        }
    }

    pub(super) fn begin(&mut self, source: u8, faults: Faults) {
        self.faults = faults;
        self.routes = RouteEncoder::new(self.message_id, self.client_index, source);
    }

    /// Appends the request's message with the context that `context` returns; false, and no
    /// request, if its paths cannot be encoded.
    pub(super) fn encode(
        &mut self,
        table: &Table,
        request: &Request,
        context: impl FnOnce() -> u32,
        out: &mut Vec<u8>,
    ) -> bool {
        if request.paths.is_none() {
            self.routes
                .delete(out, context(), request.vpp_table, &request.prefix);
            return true;
        }
        if request.vpp_table != 0 && self.faults != Faults::NONE {
            let Some(paths) = table.paths(request.paths) else {
                return false;
            };
            let sent = self
                .faults
                .survivable(request.vpp_table, &request.prefix, paths);
            match sent {
                Some(Cow::Borrowed(_)) => {}
                Some(Cow::Owned(sent)) => {
                    let Some(paths) = encoded(&request.prefix, &sent) else {
                        return false;
                    };
                    self.routes
                        .replace(out, context(), request.vpp_table, &request.prefix, &paths);
                    return true;
                }
                None => {
                    log::error!(
                        event = "route not sent", reason = "would crash VPP",
                        prefix:% = request.prefix, vpp_table = request.vpp_table;
                        "{} in VPP table {} is not sent: it would crash this VPP",
                        request.prefix,
                        request.vpp_table
                    );
                    return false;
                }
            }
        }
        let index = request.paths.index();
        let known = self
            .paths
            .get(&index)
            .is_some_and(|(version, _)| *version == request.version);
        if !known {
            // Once for all routes with these paths.
            let encoded = table
                .paths(request.paths)
                .and_then(|paths| encoded(&request.prefix, paths));
            self.paths.insert(index, (request.version, encoded));
        }
        let Some((_, Some(paths))) = self.paths.get(&index) else {
            return false;
        };
        self.routes
            .replace(out, context(), request.vpp_table, &request.prefix, paths);
        true
    }
}

/// None if the paths cannot be encoded, which would be a bug.
fn encoded(prefix: &Prefix, paths: &PathSet) -> Option<EncodedPaths> {
    let encoded = EncodedPaths::new(paths);
    if let Err(error) = &encoded {
        log::error!(
            event = "route not encoded", prefix:%, error:%;
            "cannot encode {prefix} and other routes with its paths for VPP, which is a bug: {error}"
        );
    }
    encoded.ok()
}
