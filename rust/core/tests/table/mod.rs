//! The route table.

mod advertised;
mod carrier;
mod cases;
mod deferred;
mod discovery;
mod during_dump;
mod equal_routes;
mod fallback;
mod injected;
mod limit;
mod listing;
mod model;
mod only_route;
mod resync;
mod source_specific;
mod support;
mod unannounced;
mod verify;
mod vrf;
mod withheld;
