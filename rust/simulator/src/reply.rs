//! Replies that only a simulator writes: the layouts are VPP's (`api.json` in this directory).

use bgpreflector_core::vpp::begin_frame;

/// A reply being written.
pub(crate) struct Reply<'a> {
    out: &'a mut Vec<u8>,
    frame: bgpreflector_core::vpp::FrameStart,
}

impl<'a> Reply<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, id: u16, context: u32) -> Self {
        let frame = begin_frame(out);
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&context.to_be_bytes());
        Self { out, frame }
    }

    pub(crate) fn u8(self, value: u8) -> Self {
        self.out.push(value);
        self
    }

    pub(crate) fn u32(self, value: u32) -> Self {
        self.out.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn i32(self, value: i32) -> Self {
        self.out.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn zeros(self, count: usize) -> Self {
        self.out.resize(self.out.len() + count, 0);
        self
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// A text in a field of fixed length, truncated if necessary.
    pub(crate) fn text(self, text: &str, length: usize) -> Self {
        let taken = text.len().min(length.saturating_sub(1));
        let bytes = text.as_bytes().get(..taken).unwrap_or_default();
        self.bytes(bytes).zeros(length.saturating_sub(taken))
    }

    /// A text with a length prefix.
    pub(crate) fn string(self, text: &str) -> Self {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.u32(length).bytes(text.as_bytes())
    }

    pub(crate) fn finish(self) {
        self.frame.finish(self.out);
    }
}
