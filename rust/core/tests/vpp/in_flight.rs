//! The requests in flight against a map.

use std::collections::BTreeMap;

use bgpreflector_core::vpp::InFlight;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Push,
    /// Answers the request of this place in the order of contexts, wrapped into those there.
    Take(usize),
    /// Answers a context this far from the next one.
    Stray(i32),
    Drain,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Push),
        2 => Just(Step::Take(0)),
        3 => (0usize..64).prop_map(Step::Take),
        2 => (-70i32..70).prop_map(Step::Stray),
        1 => Just(Step::Drain),
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_map(
        // Close to the wrap, which the run then crosses; the model's keys continue beyond it.
        before_wrap in 0u32..20,
        steps in prop::collection::vec(step(), 0..300),
    ) {
        let start = u32::MAX - before_wrap;
        let mut in_flight = InFlight::starting_at(start);
        let mut model: BTreeMap<u64, usize> = BTreeMap::new();
        let mut next = u64::from(start);
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Push => {
                    prop_assert_eq!(in_flight.next_context(), next as u32);
                    prop_assert_eq!(in_flight.push(number), next as u32);
                    model.insert(next, number);
                    next += 1;
                }
                Step::Take(place) => {
                    let place = place % model.len().max(1);
                    if let Some(key) = model.keys().nth(place).copied() {
                        prop_assert_eq!(in_flight.take(key as u32), Ok(model.remove(&key).unwrap()));
                        prop_assert!(in_flight.take(key as u32).is_err());
                    }
                }
                Step::Stray(distance) => {
                    let key = next.wrapping_add_signed(distance.into());
                    match model.remove(&key) {
                        Some(request) => prop_assert_eq!(in_flight.take(key as u32), Ok(request)),
                        None => {
                            let error = in_flight.take(key as u32).unwrap_err();
                            prop_assert_eq!(error.context, key as u32);
                            prop_assert_eq!(error.unanswered, model.len());
                            prop_assert_eq!(error.next, next as u32);
                        }
                    }
                }
                Step::Drain => {
                    let drained: Vec<_> = in_flight.drain().collect();
                    let expected: Vec<_> = std::mem::take(&mut model)
                        .into_iter()
                        .map(|(key, request)| (key as u32, request))
                        .collect();
                    prop_assert_eq!(drained, expected);
                }
            }
            prop_assert_eq!(in_flight.len(), model.len());
            prop_assert_eq!(in_flight.is_empty(), model.is_empty());
        }
    }
}

#[test]
fn a_drain_that_is_not_read_gives_everything_up_too() {
    let mut in_flight = InFlight::default();
    let context = in_flight.push('a');
    drop(in_flight.drain());
    assert!(in_flight.is_empty());
    assert!(in_flight.take(context).is_err());
    assert_eq!(in_flight.push('b'), context + 1);
}
