//! The fuzz targets' properties on a fixed number of mutations of recorded messages, from a fixed
//! seed: runs on any machine. `rust/fuzz` searches further.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::mutate::Mutator;
use super::{decode, fpm, frames};
use crate::netlink::support::captures;
use bgpreflector_core::netlink::{Messages, Payload};
use bgpreflector_core::vpp::FrameReader;

const LONGEST: usize = 4096;

fn short(inputs: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    // In an order independent of the recording's, without duplicates.
    let fits = |input: &Vec<u8>| (1..=LONGEST).contains(&input.len());
    let inputs: BTreeSet<_> = inputs.filter(fits).collect();
    inputs.into_iter().collect()
}

fn recorded_buffers() -> Vec<Vec<u8>> {
    short(captures::load().into_iter().map(|capture| capture.bytes))
}

/// Each frame, and each group of a few consecutive ones.
fn recorded_streams() -> Vec<Vec<u8>> {
    let files = ["session", "routes", "dumps"].map(crate::vpp::vectors::load);
    let streams = files.iter().flat_map(|frames| {
        let few = |length| frames.windows(length);
        [1, 3, 6].into_iter().flat_map(few)
    });
    // The first byte selects how the stream is cut.
    short(streams.map(|frames| {
        let bytes = frames.iter().flat_map(|frame| frame.frame.iter().copied());
        [7].into_iter().chain(bytes).collect()
    }))
}

/// zebra's bytes, in pieces of a few frames.
fn recorded_sessions() -> Vec<Vec<u8>> {
    let frames = crate::fpm::frames();
    let few = [1, 4, 20]
        .into_iter()
        .flat_map(|length| frames.windows(length));
    // The first byte selects how the stream is cut.
    short(few.map(|frames| [7].into_iter().chain(frames.concat()).collect()))
}

/// Checks the property on `count` inputs and names one that violates it.
fn hold(seeds: &[Vec<u8>], count: usize, property: fn(&[u8])) {
    let mut mutator = Mutator::new(seeds, LONGEST, 1);
    for number in 0..count {
        let input = mutator.next();
        let held = catch_unwind(AssertUnwindSafe(|| property(&input)));
        if held.is_err() {
            let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            panic!("input {number} breaks the property (see above): {hex}");
        }
    }
}

#[test]
fn any_bytes_are_read_or_refused_as_rtnetlink_messages() {
    hold(&recorded_buffers(), 250_000, decode::check);
}

#[test]
fn any_bytes_are_read_or_refused_as_vpp_frames() {
    hold(&recorded_streams(), 60_000, frames::check);
}

#[test]
fn any_bytes_are_read_or_refused_as_frames_of_zebra() {
    hold(&recorded_sessions(), 30_000, fpm::check);
}

/// Inputs that are all refused at their first byte would prove nothing.
#[test]
fn the_mutations_reach_behind_the_headers() {
    let (buffers, streams) = (recorded_buffers(), recorded_streams());
    let mut mutator = Mutator::new(&buffers, LONGEST, 1);
    let (mut routes, mut refused) = (0, 0);
    for _ in 0..5_000 {
        for item in Messages::new(&mutator.next()) {
            match item.map(|message| message.payload) {
                Ok(Payload::Route(_)) => routes += 1,
                Ok(_) => {}
                Err(_) => refused += 1,
            }
        }
    }
    assert!(routes > 1_000 && refused > 1_000, "{routes}, {refused}");

    let mut mutator = Mutator::new(&streams, LONGEST, 1);
    let (mut messages, mut broken) = (0, 0);
    for _ in 0..5_000 {
        let mut reader = FrameReader::new(1 << 20);
        frames::receive(&mut reader, mutator.next().get(1..).unwrap_or_default());
        while let Some(next) = reader.next_message().transpose() {
            match next {
                Ok(_) => messages += 1,
                Err(_) => {
                    broken += 1;
                    break;
                }
            }
        }
    }
    assert!(messages > 1_000 && broken > 100, "{messages}, {broken}");

    let sessions = recorded_sessions();
    let mut mutator = Mutator::new(&sessions, LONGEST, 1);
    let (mut frames, mut refused) = (0, 0);
    for _ in 0..5_000 {
        let input = mutator.next();
        let mut reader = bgpreflector_core::fpm::FpmFrameReader::default();
        let stream = input.get(1..).unwrap_or_default();
        reader.spare()[..stream.len()].copy_from_slice(stream);
        reader.advance(stream.len());
        while let Some(next) = reader.next_frame().map(|next| next.map(|_| ())).transpose() {
            match next {
                Ok(()) => frames += 1,
                Err(_) => {
                    refused += 1;
                    break;
                }
            }
        }
    }
    assert!(frames > 1_000 && refused > 100, "{frames}, {refused}");
}

#[test]
fn the_same_seed_makes_the_same_inputs() {
    let seeds = recorded_buffers();
    let make = |seed| {
        let mut mutator = Mutator::new(&seeds, LONGEST, seed);
        (0..100).map(|_| mutator.next()).collect::<Vec<_>>()
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
}
