//! Framing: version, type and length (`fpm_msg_hdr_t`), then netlink messages.

const HEADER: usize = 4;
/// `FPM_PROTO_VERSION`.
const VERSION: u8 = 1;
/// `FPM_MSG_TYPE_NETLINK`.
const NETLINK: u8 = 1;
/// `FPM_MSG_TYPE_PROTOBUF`.
const PROTOBUF: u8 = 2;

/// The maximum length of a frame in bytes, including its header: the length has 16 bits.
pub const MAX_FRAME: usize = u16::MAX as usize;
/// Maximum bytes per read, besides the beginning of an incomplete frame.
const READ_LENGTH: usize = 64 << 10;

/// The peer does not send FPM with netlink: the start of the next frame is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FpmFrameError {
    /// Another version of the protocol.
    #[error("FPM version {0}, only version 1 is supported")]
    Version(u8),
    /// `FPM_MSG_TYPE_PROTOBUF`.
    #[error(
        "protobuf messages; load zebra's module dplane_fpm_nl (-M dplane_fpm_nl) rather than fpm"
    )]
    Protobuf,
    /// Another type of message.
    #[error("messages of type {0}, only netlink (1) is supported")]
    Type(u8),
    /// The length does not even cover the header.
    #[error("a frame of {0} bytes, which is shorter than its header")]
    Length(u16),
}

/// The header of a frame with `payload` bytes of netlink messages; none if they are too many.
#[must_use]
pub fn frame_header(payload: usize) -> Option<[u8; HEADER]> {
    let length = u16::try_from(payload.checked_add(HEADER)?).ok()?;
    let [high, low] = length.to_be_bytes();
    Some([VERSION, NETLINK, high, low])
}

/// Splits a stream into frames: read into [`Self::spare`], report the length with [`Self::advance`],
/// and take the netlink messages of complete frames from [`Self::next_frame`].
#[derive(Debug)]
pub struct FpmFrameReader {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Default for FpmFrameReader {
    fn default() -> Self {
        Self {
            buffer: vec![0; MAX_FRAME + READ_LENGTH].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }
}

impl FpmFrameReader {
    /// Where to read to: at least `READ_LENGTH` bytes, once all complete frames have been taken.
    pub fn spare(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Reports that `length` bytes were written to the beginning of [`Self::spare`].
    pub fn advance(&mut self, length: usize) {
        self.end = self.end.saturating_add(length).min(self.buffer.len());
    }

    /// The netlink messages of the next complete frame; none until more bytes arrive.
    ///
    /// # Errors
    /// [`FpmFrameError`]: the rest of the stream cannot be framed.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FpmFrameError> {
        let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Some(&[version, kind, high, low]) = rest.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        match (version, kind) {
            (VERSION, NETLINK) => {}
            (VERSION, PROTOBUF) => return Err(FpmFrameError::Protobuf),
            (VERSION, other) => return Err(FpmFrameError::Type(other)),
            (other, _) => return Err(FpmFrameError::Version(other)),
        }
        let length = u16::from_be_bytes([high, low]);
        if usize::from(length) < HEADER {
            return Err(FpmFrameError::Length(length));
        }
        let Some(payload) = rest.get(HEADER..usize::from(length)) else {
            return Ok(None);
        };
        self.start += usize::from(length);
        Ok(Some(payload))
    }

    /// Bytes of a frame that is not whole yet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.end - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(reader: &mut FpmFrameReader, bytes: &[u8]) {
        reader.spare()[..bytes.len()].copy_from_slice(bytes);
        reader.advance(bytes.len());
    }

    #[test]
    fn frames_come_out_whole_however_the_bytes_come_in() {
        let stream = [1, 1, 0, 8, 1, 2, 3, 4, 1, 1, 0, 4, 1, 1, 0, 5, 9];
        for step in 1..=stream.len() {
            let mut reader = FpmFrameReader::default();
            let mut seen = Vec::new();
            for part in stream.chunks(step) {
                put(&mut reader, part);
                while let Some(frame) = reader.next_frame().unwrap() {
                    seen.push(frame.to_vec());
                }
            }
            assert_eq!(
                seen,
                [vec![1, 2, 3, 4], vec![], vec![9]],
                "{step} at a time"
            );
            assert_eq!(reader.buffered(), 0);
        }
    }

    #[test]
    fn the_longest_frame_fits_behind_half_of_another() {
        let mut reader = FpmFrameReader::default();
        let mut longest = vec![1, 1, 0xff, 0xff];
        longest.resize(MAX_FRAME, 7);
        put(&mut reader, &longest[..MAX_FRAME - 1]);
        assert_eq!(reader.next_frame(), Ok(None));
        assert!(reader.spare().len() > READ_LENGTH);
        put(&mut reader, &longest[MAX_FRAME - 1..]);
        assert_eq!(
            reader.next_frame().unwrap().map(<[u8]>::len),
            Some(MAX_FRAME - 4)
        );
    }

    #[test]
    fn what_is_no_frame_is_said() {
        let error = |bytes: &[u8]| {
            let mut reader = FpmFrameReader::default();
            put(&mut reader, bytes);
            reader.next_frame().map(|frame| frame.map(<[u8]>::to_vec))
        };
        assert_eq!(error(&[2, 1, 0, 8]), Err(FpmFrameError::Version(2)));
        assert_eq!(error(&[1, 2, 0, 8]), Err(FpmFrameError::Protobuf));
        assert_eq!(error(&[1, 0, 0, 8]), Err(FpmFrameError::Type(0)));
        assert_eq!(error(&[1, 1, 0, 0]), Err(FpmFrameError::Length(0)));
        assert_eq!(error(&[1, 1, 0, 3, 1]), Err(FpmFrameError::Length(3)));
        assert_eq!(error(&[1, 1, 0]), Ok(None), "a header that is not whole");
        assert_eq!(frame_header(0), Some([1, 1, 0, 4]));
        assert_eq!(frame_header(MAX_FRAME - 3), None);
    }
}
