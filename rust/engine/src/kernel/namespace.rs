//! The network namespace that is read: by identity, not by name, which another namespace may take
//! later.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::KernelError;

use super::dump::Dumper;
use super::socket::{RouteSocket, in_namespace};

/// How often the name is checked.
const INTERVAL: Duration = Duration::from_secs(1);

/// Device and inode of the namespace's file (`nsfs`), the same at every mount.
type Identity = (u64, u64);

/// The sockets in one namespace.
pub(super) struct Sockets {
    pub(super) notifications: RouteSocket,
    /// Bytes of receive buffer that the kernel granted.
    pub(super) granted: usize,
    pub(super) dumper: Dumper,
    identity: Option<Identity>,
}

impl Sockets {
    /// Opens them in the namespace at `path`, or this process's, and joins the multicast groups.
    pub(super) fn open(
        path: Option<&Path>,
        receive_buffer: usize,
        groups: u32,
    ) -> Result<Self, KernelError> {
        in_namespace(path, || {
            let notifications = RouteSocket::open(groups)?;
            let granted = notifications.set_receive_buffer(receive_buffer)?;
            Ok(Self {
                notifications,
                granted,
                dumper: Dumper::open()?,
                identity: identity(Path::new("/proc/thread-self/ns/net")).ok(),
            })
        })
    }

    /// File descriptors that the test has made.
    #[cfg(test)]
    pub(super) fn of(notifications: RouteSocket, dumper: Dumper) -> Self {
        Self {
            notifications,
            granted: 0,
            dumper,
            identity: None,
        }
    }

    /// Makes `watch` check whether another namespace has the name now.
    pub(super) fn watch(&self, watch: &mut NamespaceWatch) {
        watch.known = self.identity;
        watch.is_gone = false;
    }
}

/// A change of a namespace that was opened by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing has the name any more.
    Gone,
    /// Another namespace has the name.
    Replaced,
    /// The open namespace has its name again.
    Back,
}

/// Checks a namespace's name periodically.
#[derive(Debug)]
pub(super) struct NamespaceWatch {
    known: Option<Identity>,
    is_gone: bool,
    check_at: Instant,
}

impl NamespaceWatch {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            known: None,
            is_gone: false,
            check_at: now + INTERVAL,
        }
    }

    /// When the next check is due.
    pub(super) fn at(&self) -> Instant {
        self.check_at
    }

    /// Checks if it is due; returns what has changed since the last check.
    pub(super) fn check(&mut self, path: &Path, now: Instant) -> Option<Change> {
        if now < self.check_at {
            return None;
        }
        self.check_at = now + INTERVAL;
        let known = self.known?;
        match identity(path) {
            Ok(seen) if seen == known => {
                let back = std::mem::take(&mut self.is_gone);
                back.then_some(Change::Back)
            }
            Ok(_) => Some(Change::Replaced),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let news = !std::mem::replace(&mut self.is_gone, true);
                news.then_some(Change::Gone)
            }
            Err(error) => {
                log::debug!(
                    event = "namespace unknown", namespace:% = path.display(), error:%;
                    "cannot stat {}: {error}", path.display()
                );
                None
            }
        }
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    let file = fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_goes_comes_back_or_stands_for_another() {
        let path = std::env::temp_dir().join(format!("bgpreflector-watch-{}", std::process::id()));
        let other = path.with_extension("other");
        fs::write(&path, "").unwrap();
        fs::write(&other, "").unwrap();
        let mut now = Instant::now();
        let mut watch = NamespaceWatch::new(now);
        watch.known = identity(&path).ok();
        let mut look = |watch: &mut NamespaceWatch| {
            now += INTERVAL;
            watch.check(&path, now)
        };
        assert_eq!(look(&mut watch), None);
        let aside = path.with_extension("aside");
        fs::rename(&path, &aside).unwrap();
        assert_eq!(look(&mut watch), Some(Change::Gone));
        assert_eq!(look(&mut watch), None);
        fs::rename(&aside, &path).unwrap();
        assert_eq!(look(&mut watch), Some(Change::Back));
        fs::rename(&other, &path).unwrap();
        assert_eq!(look(&mut watch), Some(Change::Replaced));
        fs::remove_file(&path).unwrap();
    }
}
