//! The table against a simple model, and a VPP that accepts every request.

use std::net::{IpAddr, Ipv4Addr};

use bgpreflector_core::route::{Family, NextHop};
use bgpreflector_core::table::{Fallback, InsertMode};
use proptest::prelude::*;

use super::support::{FOREIGN, MIRRORED, World, name, route};

#[derive(Clone, Debug)]
enum Step {
    Announce {
        prefix: u8,
        metric: u8,
        protocol: u8,
        gateway: u8,
        interface: u8,
    },
    Withdraw {
        prefix: u8,
        metric: u8,
    },
    Map {
        interface: u8,
        sw_if_index: Option<u8>,
    },
    Fallback {
        fallback: Fallback,
    },
    Take {
        limit: usize,
    },
    Begin {
        count: usize,
    },
    Answer {
        count: usize,
        refuse: bool,
    },
    PutBack,
    LoseSession,
    Adopt {
        hidden: u8,
    },
    AdoptAgain {
        hidden: u8,
    },
    Retry,
    ResyncWithout {
        prefix: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let protocol = prop_oneof![3 => Just(MIRRORED), 1 => Just(FOREIGN)];
    prop_oneof![
        8 => (0..6_u8, 0..3_u8, protocol, 0..3_u8, 1..4_u8).prop_map(
            |(prefix, metric, protocol, gateway, interface)| Step::Announce {
                prefix, metric, protocol, gateway, interface
            }
        ),
        4 => (0..6_u8, 0..3_u8).prop_map(|(prefix, metric)| Step::Withdraw { prefix, metric }),
        1 => (1..4_u8, proptest::option::of(10..13_u8))
            .prop_map(|(interface, sw_if_index)| Step::Map { interface, sw_if_index }),
        1 => prop::sample::select(vec![Fallback::Hold, Fallback::Drop, Fallback::Punt])
            .prop_map(|fallback| Step::Fallback { fallback }),
        3 => (1..5_usize).prop_map(|limit| Step::Take { limit }),
        3 => (1..5_usize).prop_map(|count| Step::Begin { count }),
        3 => (1..5_usize, prop::bool::weighted(0.2))
            .prop_map(|(count, refuse)| Step::Answer { count, refuse }),
        1 => Just(Step::PutBack),
        1 => Just(Step::LoseSession),
        1 => any::<u8>().prop_map(|hidden| Step::Adopt { hidden }),
        1 => any::<u8>().prop_map(|hidden| Step::AdoptAgain { hidden }),
        1 => Just(Step::Retry),
        1 => (0..6_u8).prop_map(|prefix| Step::ResyncWithout { prefix }),
    ]
}

fn apply(world: &mut World, step: Step) {
    match step {
        Step::Announce {
            prefix,
            metric,
            protocol,
            gateway,
            interface,
        } => {
            let gateway = IpAddr::V4(Ipv4Addr::new(192, 0, 2, gateway));
            let hop = NextHop::new(Some(gateway), interface.into());
            world
                .table
                .announce(route(prefix, metric, protocol, &hop), InsertMode::Replace);
            world.kernel.insert((prefix, metric), (protocol, hop));
        }
        Step::Withdraw { prefix, metric } => {
            if let Some((protocol, hop)) = world.kernel.remove(&(prefix, metric)) {
                world.table.withdraw(route(prefix, metric, protocol, &hop));
            }
        }
        Step::Map {
            interface,
            sw_if_index,
        } => {
            match sw_if_index {
                Some(index) => world
                    .interfaces
                    .map
                    .insert(name(interface.into()), index.into()),
                None => world.interfaces.map.remove(&name(interface.into())),
            };
            world.table.set_interfaces(world.interfaces.clone());
        }
        Step::Fallback { fallback } => {
            world.interfaces.fallback = fallback;
            world.table.set_interfaces(world.interfaces.clone());
        }
        Step::Take { limit } => world.taken.extend(world.table.take_dirty(limit).handles),
        Step::Begin { count } => world.begin(count),
        Step::Answer { count, refuse } => world.answer(count, refuse),
        Step::PutBack => world.table.requeue(world.taken.drain(..)),
        Step::LoseSession => world.lose_session(),
        Step::Adopt { hidden } => world.adopt(hidden),
        Step::AdoptAgain { hidden } => world.adopt_again(hidden),
        Step::Retry => {
            world.table.retry_rejected(|_| true);
        }
        Step::ResyncWithout { prefix } => world.resync_without(prefix),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn vpp_ends_with_what_the_kernel_forwards_by(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            apply(&mut world, step);
        }
        world.table.confirm(&Family::ALL);
        world.sync();
        world.check();

        for number in 0..6 {
            world.resync_without(number);
        }
        world.sync();
        world.check();
        assert_eq!(world.table.sets(), (0, 0), "every set must be given back");
    }
}
