//! Route requests in short.

use bgpreflector_core::route::{Family, Path, PathSet, PathType, Prefix};
use bgpreflector_core::vpp::{
    EncodedPaths, FibSource, FibSourceAdd, FibSourceAddReply, IpRoute, RouteAddDel, RouteDetails,
    RouteDump, RouteLookup, RouteLookupReply, RouteReply, messages as m, route_dump::dumped_paths,
};

use super::Client;

pub fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// A path over `loop0`.
pub fn via(next_hop: &str) -> Path {
    weighted(next_hop, 1)
}

pub fn weighted(next_hop: &str, weight: u8) -> Path {
    let next_hop: std::net::IpAddr = next_hop.parse().unwrap();
    Path {
        next_hop: Some(next_hop),
        sw_if_index: 1,
        weight,
        ..Path::new(PathType::Normal, Family::of(next_hop))
    }
}

/// The operation of a route request.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub source: Option<u8>,
    pub is_add: bool,
    pub is_multipath: bool,
    pub prefix: &'a str,
    pub paths: &'a [Path],
}

impl<'a> Ask<'a> {
    pub fn replace(source: u8, prefix: &'a str, paths: &'a [Path]) -> Self {
        Self {
            source: Some(source),
            is_add: true,
            is_multipath: false,
            prefix,
            paths,
        }
    }

    pub fn delete(source: u8, prefix: &'a str) -> Self {
        let is_add = false;
        Self {
            is_add,
            ..Self::replace(source, prefix, &[])
        }
    }

    pub fn next_hops(self) -> Self {
        let is_multipath = true;
        Self {
            is_multipath,
            ..self
        }
    }
}

impl Client {
    /// The frame of a route request, and its context.
    pub fn frame(&mut self, ask: &Ask<'_>) -> (Vec<u8>, u32) {
        let paths = EncodedPaths::new(&PathSet::new(ask.paths.to_vec())).unwrap();
        let context = self.context();
        let route = IpRoute {
            table: 0,
            stats_index: 0,
            prefix: prefix(ask.prefix),
            source: ask.source,
            paths: paths.view(),
        };
        let request = RouteAddDel {
            client_index: self.index,
            context,
            is_add: ask.is_add,
            is_multipath: ask.is_multipath,
            route,
        };
        let message = match ask.source {
            Some(_) => m::IP_ROUTE_ADD_DEL_V2,
            None => m::IP_ROUTE_ADD_DEL,
        };
        let mut frame = Vec::new();
        request.encode(self.id(message), &mut frame);
        (frame, context)
    }

    /// Sends a route request and returns its context.
    pub fn ask(&mut self, ask: &Ask<'_>) -> u32 {
        let (frame, context) = self.frame(ask);
        self.send(&frame);
        context
    }

    /// The `retval` of the next message, the reply to the route request of this context.
    pub fn retval(&mut self, context: u32) -> i32 {
        let reply = RouteReply::decode(&self.receive()).unwrap();
        assert_eq!(reply.context, context);
        reply.retval
    }

    /// Sends a route request and returns VPP's return value.
    pub fn route(&mut self, ask: &Ask<'_>) -> i32 {
        let context = self.ask(ask);
        self.retval(context)
    }

    pub fn add_source(&mut self, name: &str, priority: u8) -> u8 {
        let (client_index, context, id) = (self.index, self.context(), 0);
        let name = name.into();
        let source = FibSource { priority, id, name };
        let request = FibSourceAdd {
            client_index,
            context,
            source,
        };
        let mut frame = Vec::new();
        let number = self.id(m::FIB_SOURCE_ADD);
        request.encode(number, &mut frame).unwrap();
        self.send(&frame);
        let reply = FibSourceAddReply::decode(&self.receive()).unwrap();
        assert_eq!((reply.context, reply.retval), (context, 0));
        reply.id
    }

    /// The IPv4 routes of table 0 that VPP shows for a source, 0 for all.
    pub fn dump(&mut self, source: u8) -> Vec<(Prefix, Option<u8>, PathSet)> {
        let request = RouteDump {
            client_index: self.index,
            context: self.context(),
            source,
            table: 0,
            family: Family::V4,
        };
        let mut frame = Vec::new();
        request.encode(self.id(m::IP_ROUTE_V2_DUMP), &mut frame);
        self.send(&frame);
        let shown = self.ping();
        let mut routes: Vec<_> = shown.iter().map(|message| details(message)).collect();
        routes.sort_by_key(|(prefix, ..)| *prefix);
        routes
    }

    /// What `ip_route_lookup_v2` finds: prefix, source and paths, or why nothing.
    pub fn lookup(&mut self, wanted: &str, exact: bool) -> Result<(Prefix, u8, PathSet), i32> {
        let request = RouteLookup {
            client_index: self.index,
            context: self.context(),
            table: 0,
            exact,
            prefix: prefix(wanted),
        };
        let mut frame = Vec::new();
        request.encode(self.id(m::IP_ROUTE_LOOKUP_V2), &mut frame);
        self.send(&frame);
        let message = self.receive();
        let reply = RouteLookupReply::decode(&message).unwrap();
        assert_eq!(reply.context, request.context);
        if reply.retval != 0 {
            return Err(reply.retval);
        }
        let route = reply.route;
        let paths = dumped_paths(&route.prefix, route.paths).unwrap();
        Ok((route.prefix, route.source.unwrap(), paths))
    }
}

fn details(message: &[u8]) -> (Prefix, Option<u8>, PathSet) {
    let route = RouteDetails::decode(message).unwrap().route;
    let paths = dumped_paths(&route.prefix, route.paths).unwrap();
    (route.prefix, route.source, paths)
}
