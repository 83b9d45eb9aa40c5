//! Mutations of recorded messages, the same ones for the same seed.

use oorandom::Rand32;

/// Lengths, types and counts at which a decoder may stumble.
const EDGES: [u32; 16] = [
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    15,
    16,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
];

/// Up to 2^(DEPTH - 1) mutations are made on top of each other.
const DEPTH: usize = 4;

/// Makes inputs out of recorded ones.
pub struct Mutator<'a> {
    seeds: &'a [Vec<u8>],
    longest: usize,
    random: Rand32,
}

impl<'a> Mutator<'a> {
    /// Mutates `seeds`, which must not be empty; results have at most `longest` bytes.
    pub fn new(seeds: &'a [Vec<u8>], longest: usize, seed: u64) -> Self {
        Self {
            seeds,
            longest,
            random: Rand32::new(seed),
        }
    }

    /// A recorded input with one mutation or several.
    pub fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.seed().to_vec();
        // Most are changed in a place or two: behind many changes little is read any more.
        for _ in 0..1 << self.below(DEPTH) {
            if !bytes.is_empty() {
                self.mutate(&mut bytes);
            }
        }
        bytes.truncate(self.longest);
        bytes
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(20) {
            0..=2 => bytes[at] ^= 1 << self.below(8),
            3..=5 => bytes[at] = self.random.rand_u32() as u8,
            6..=8 => bytes[at] = bytes[at].wrapping_add(1),
            9..=11 => bytes[at] = bytes[at].wrapping_sub(1),
            12..=16 => self.set_number(bytes, at),
            17 => bytes.truncate(at),
            18 => {
                let cut = self.range(bytes.len());
                bytes.drain(cut);
            }
            _ => {
                let other = self.seed();
                let part = self.range(other.len());
                bytes.splice(at..at, other[part].iter().copied());
            }
        }
    }

    /// Writes an edge: two or four bytes, of rtnetlink's order or VPP's, aligned or not.
    fn set_number(&mut self, bytes: &mut [u8], at: usize) {
        let edge = EDGES[self.below(EDGES.len())];
        let number = match self.below(4) {
            0 => edge.to_ne_bytes().to_vec(),
            1 => edge.to_be_bytes().to_vec(),
            2 => (edge as u16).to_ne_bytes().to_vec(),
            _ => (edge as u16).to_be_bytes().to_vec(),
        };
        let at = if self.below(2) == 0 { at & !3 } else { at };
        for (place, byte) in bytes.iter_mut().skip(at).zip(number) {
            *place = byte;
        }
    }

    fn seed(&mut self) -> &'a [u8] {
        &self.seeds[self.below(self.seeds.len())]
    }

    /// A part of `length` places, short ones as often as long ones.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length);
        let most = 1 << self.below(12);
        from..(from + self.below(most + 1)).min(length)
    }

    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        self.random.rand_range(0..u32::try_from(limit).unwrap()) as usize
    }
}
