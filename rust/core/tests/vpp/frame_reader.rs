//! However the stream is split into reads, the messages come out whole and in order.

use bgpreflector_core::vpp::frame::{MAX_MESSAGE_LENGTH, begin_frame, header};
use bgpreflector_core::vpp::{FrameError, FrameReader};
use proptest::prelude::*;

use crate::fuzz::frames::receive;

fn frame(message: &[u8]) -> Vec<u8> {
    let mut out = b"before".to_vec();
    let start = begin_frame(&mut out);
    out.extend_from_slice(message);
    start.finish(&mut out);
    out.split_off(6)
}

fn read_all(reader: &mut FrameReader) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let Some(message) = reader.next_message().unwrap() {
        messages.push(message.to_vec());
    }
    messages
}

proptest! {
    #[test]
    fn splits_do_not_matter(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 2..200), 0..40),
        cuts in prop::collection::vec(1usize..300, 1..40),
    ) {
        let stream: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
        let mut reader = FrameReader::default();
        let mut read = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at((*cut).min(rest.len()));
            receive(&mut reader, piece);
            rest = behind;
            read.extend(read_all(&mut reader));
        }
        prop_assert_eq!(read, messages);
        // Nothing is left in front of what comes next.
        receive(&mut reader, &frame(b"next"));
        prop_assert_eq!(read_all(&mut reader), [b"next"]);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..20),
    ) {
        let mut reader = FrameReader::default();
        for piece in pieces {
            receive(&mut reader, &piece);
            while let Ok(Some(message)) = reader.next_message() {
                prop_assert!(message.len() >= 2);
            }
        }
    }
}

#[test]
fn a_long_message_among_short_ones_comes_through() {
    let long: Vec<u8> = (0..1_500_000u32).map(|i| i as u8).collect();
    let mut stream = frame(b"short");
    stream.extend(frame(&long));
    stream.extend(frame(b"again"));
    let mut reader = FrameReader::default();
    let mut read = Vec::new();
    for piece in stream.chunks(4096) {
        receive(&mut reader, piece);
        read.extend(read_all(&mut reader));
    }
    assert_eq!(read, [b"short".to_vec(), long, b"again".to_vec()]);
}

#[test]
fn the_leftovers_in_a_real_header_are_not_looked_at() {
    let mut reader = FrameReader::default();
    let recorded = super::vectors::load("routes");
    assert!(recorded.iter().any(|frame| frame.frame[..8] != [0; 8]));
    for frame in &recorded {
        receive(&mut reader, &frame.frame);
    }
    let expected: Vec<_> = recorded
        .iter()
        .map(|frame| frame.message().to_vec())
        .collect();
    assert_eq!(read_all(&mut reader), expected);
}

#[test]
fn an_impossible_length_is_an_error_that_stays() {
    for length in [0, 1, MAX_MESSAGE_LENGTH + 1, u32::MAX] {
        let mut reader = FrameReader::default();
        receive(&mut reader, &frame(b"fine"));
        receive(&mut reader, &header(length));
        assert_eq!(reader.next_message().unwrap().unwrap(), b"fine");
        let error = FrameError::Length {
            length,
            limit: MAX_MESSAGE_LENGTH,
        };
        for _ in 0..2 {
            assert_eq!(reader.next_message(), Err(error));
            receive(&mut reader, &frame(b"behind"));
        }
    }
}

#[test]
fn an_abandoned_frame_leaves_nothing() {
    let mut out = frame(b"kept");
    let start = begin_frame(&mut out);
    out.extend_from_slice(b"not kept");
    start.abandon(&mut out);
    assert_eq!(out, frame(b"kept"));
}
