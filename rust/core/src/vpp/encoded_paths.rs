//! Sets of paths as bytes: made once a set, copied into every message that carries it.

use std::sync::Arc;

use super::WireError;
use super::bytes::Reader;
use super::path::{PATH_LENGTH, decode_path, encode_path};
use crate::route::{Path, PathSet};

/// The ready bytes of a set of paths. A clone shares them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EncodedPaths {
    count: u8,
    bytes: Arc<[u8]>,
}

impl EncodedPaths {
    /// The set as a request carries it. VPP refuses to add an empty one (`NO_PATHS_IN_ROUTE`).
    ///
    /// # Errors
    /// [`WireError::TooManyPaths`] above 255 paths; for a single path see
    /// [`encode_path`].
    pub fn new(set: &PathSet) -> Result<Self, WireError> {
        let paths = set.paths();
        let too_many = |_| WireError::TooManyPaths(paths.len());
        let count = u8::try_from(paths.len()).map_err(too_many)?;
        let mut bytes = Vec::with_capacity(paths.len() * PATH_LENGTH);
        for path in paths {
            encode_path(path, &mut bytes)?;
        }
        let bytes = bytes.into();
        Ok(Self { count, bytes })
    }

    /// How many paths there are (`n_paths`).
    #[must_use]
    pub const fn count(&self) -> u8 {
        self.count
    }

    /// The bytes, 167 a path.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, borrowed, as messages take it.
    #[must_use]
    pub fn view(&self) -> PathBytes<'_> {
        PathBytes {
            count: self.count,
            bytes: &self.bytes,
        }
    }
}

/// The paths of a received message, not yet decoded. Equal bytes are equal sets, so a reader of a
/// large dump can decode each set once and look it up by [`PathBytes::as_bytes`] afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PathBytes<'a> {
    count: u8,
    bytes: &'a [u8],
}

impl<'a> PathBytes<'a> {
    /// Takes `count` paths off a message.
    ///
    /// # Errors
    /// [`WireError::Truncated`]
    pub fn read(reader: &mut Reader<'a>, count: u8) -> Result<Self, WireError> {
        let bytes = reader.slice(usize::from(count) * PATH_LENGTH)?;
        Ok(Self { count, bytes })
    }

    /// How many paths there are (`n_paths`).
    #[must_use]
    pub const fn count(&self) -> u8 {
        self.count
    }

    /// The bytes, 167 a path.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The paths in the message's order, each in canonical form.
    ///
    /// # Errors
    /// Each item on its own: see [`decode_path`].
    pub fn iter(&self) -> impl Iterator<Item = Result<Path, WireError>> + use<'a> {
        self.bytes.chunks_exact(PATH_LENGTH).map(decode_path)
    }

    /// The paths as a set.
    ///
    /// # Errors
    /// The first path's that cannot be read: see [`decode_path`].
    pub fn to_set(&self) -> Result<PathSet, WireError> {
        self.iter().collect::<Result<Vec<_>, _>>().map(PathSet::new)
    }
}
