//! The network namespace that is read: by identity, not by name, which another namespace may take
//! later.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::KernelError;

use super::dump::Dumper;
use super::poller::Poller;
use super::socket::{RouteSocket, in_namespace};

/// How often the name is checked while no mount would tell that it has changed.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often it is checked while a mount would: a parent directory that is renamed is none.
const LONG_INTERVAL: Duration = Duration::from_secs(60);

/// What can be polled for mounts (`proc(5)`): a namespace is mounted on its name.
const MOUNTS: &str = "/proc/self/mountinfo";

/// Device and inode of the namespace's file (`nsfs`), the same at every mount.
type Identity = (u64, u64);

/// The calling thread's namespace.
const OWN: &str = "/proc/thread-self/ns/net";

/// A namespace that was opened by name, and stays open whatever becomes of the name.
pub(super) struct OpenNamespace(File);

impl OpenNamespace {
    fn of_this_thread() -> Result<Self, KernelError> {
        let failed = |source| KernelError::Namespace {
            path: OWN.into(),
            source,
        };
        File::open(OWN).map(Self).map_err(failed)
    }

    /// Where it can be entered.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }

    fn identity(&self) -> Option<Identity> {
        self.0.metadata().ok().map(|file| (file.dev(), file.ino()))
    }
}

/// The sockets in one namespace.
pub(super) struct Sockets {
    pub(super) notifications: RouteSocket,
    /// Bytes of receive buffer that the kernel granted.
    pub(super) granted: usize,
    pub(super) dumper: Dumper,
    /// Of another namespace than this process's.
    pub(super) namespace: Option<OpenNamespace>,
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
                namespace: path.map(|_| OpenNamespace::of_this_thread()).transpose()?,
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
            namespace: None,
        }
    }

    /// Makes `watch` check whether another namespace has the name now.
    pub(super) fn watch(&self, watch: &mut NamespaceWatch) {
        watch.known = self.namespace.as_ref().and_then(OpenNamespace::identity);
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

/// Checks a namespace's name, after mounts and periodically.
#[derive(Debug)]
pub(super) struct NamespaceWatch {
    known: Option<Identity>,
    is_gone: bool,
    check_at: Instant,
    /// Open for the poller.
    mounts: Option<File>,
}

impl NamespaceWatch {
    /// Has the poller wait for mounts, if there is a name.
    pub(super) fn new(path: Option<&Path>, poller: &Poller, now: Instant) -> Self {
        Self {
            known: None,
            is_gone: false,
            check_at: now + INTERVAL,
            mounts: path.and_then(|path| watched_mounts(path, poller)),
        }
    }

    /// When the next check is due.
    pub(super) fn at(&self) -> Instant {
        self.check_at
    }

    /// Whether nothing had the name at the last check.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Makes a check due.
    pub(super) fn mounts_changed(&mut self, now: Instant) {
        self.check_at = self.check_at.min(now);
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
                if self.mounts.is_some() && is_mounted(path) {
                    self.check_at = now + LONG_INTERVAL;
                }
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

/// The open list of mounts that the poller waits on.
fn watched_mounts(path: &Path, poller: &Poller) -> Option<File> {
    let watched = File::open(MOUNTS).and_then(|mounts| {
        poller.watch_mounts(&mounts)?;
        Ok(mounts)
    });
    if let Err(error) = &watched {
        log::warn!(
            event = "mounts not watched", namespace:% = path.display(), error:%;
            "cannot wait for mounts by {MOUNTS}: {error}; the daemon looks once a second instead \
             whether {} is another network namespace",
            path.display()
        );
    }
    watched.ok()
}

/// Whether the namespace is mounted on its name, in this mount namespace: a symbolic link, as those
/// in `/proc` are, leads elsewhere without a mount.
fn is_mounted(path: &Path) -> bool {
    let is_link = fs::symlink_metadata(path).is_ok_and(|file| file.is_symlink());
    !is_link && !path.starts_with("/proc")
}

fn identity(path: &Path) -> io::Result<Identity> {
    let file = fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn path(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("bgpreflector-{name}-{}", std::process::id()))
    }

    fn watch(path: &Path, now: Instant) -> NamespaceWatch {
        let (_, socket) = UnixStream::pair().unwrap();
        let poller = Poller::new(&socket).unwrap();
        let mut watch = NamespaceWatch::new(Some(path), &poller, now);
        watch.known = identity(path).ok();
        watch
    }

    #[test]
    fn a_name_that_goes_comes_back_or_stands_for_another() {
        let path = path("watch");
        let other = path.with_extension("other");
        fs::write(&path, "").unwrap();
        fs::write(&other, "").unwrap();
        let mut now = Instant::now();
        let mut watch = watch(&path, now);
        let mut look = |watch: &mut NamespaceWatch| {
            now += LONG_INTERVAL;
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

    #[test]
    fn a_name_is_checked_seldom_only_while_a_mount_would_tell() {
        let (link, path) = (path("link"), path("mounted"));
        fs::write(&path, "").unwrap();
        symlink(&path, &link).unwrap();
        let (now, later) = (Instant::now(), Instant::now() + LONG_INTERVAL);
        let until_next = |watch: &mut NamespaceWatch, path: &Path| {
            watch.check(path, later);
            watch.at() - later
        };
        let mut mounted = watch(&path, now);
        assert_eq!(until_next(&mut mounted, &path), LONG_INTERVAL);
        mounted.mounts_changed(later);
        assert_eq!(mounted.at(), later);
        // Without the list of mounts, through a link, in `/proc`, and once the name has gone.
        mounted.mounts = None;
        assert_eq!(until_next(&mut mounted, &path), INTERVAL);
        assert_eq!(until_next(&mut watch(&link, now), &link), INTERVAL);
        let own = Path::new("/proc/thread-self/ns/net");
        assert_eq!(until_next(&mut watch(own, now), own), INTERVAL);
        let mut gone = watch(&path, now);
        fs::remove_file(&path).unwrap();
        assert_eq!(until_next(&mut gone, &path), INTERVAL);
        fs::remove_file(&link).unwrap();
    }
}
