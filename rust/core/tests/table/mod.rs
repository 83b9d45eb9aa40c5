//! The route table.

mod advertised;
mod carrier;
mod cases;
mod concern;
mod deferred;
mod discovery;
mod during_dump;
mod equal_routes;
mod fallback;
mod injected;
mod limit;
mod listing;
mod model;
mod resync;
mod sole;
mod source;
mod support;
mod unannounced;
mod vrf;
mod withheld;
