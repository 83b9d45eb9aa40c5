//! A digest of attributes that distinguish routes but do not affect forwarding.

/// FNV-1a: equal bytes give the same digest in every run; 0 for no bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Digest(u32);

impl Digest {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    pub(super) const fn value(self) -> u32 {
        self.0
    }
}
