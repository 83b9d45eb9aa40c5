//! Links, next-hop objects and VPP's interfaces: what changes the meaning of routes without a
//! message about them.

use crate::route::{Family, NextHopSet, NextHopSource};

use super::Table;
use super::beside::Beside;
use super::next_hops::NextHopObject;
use super::resolve::{Interfaces, Link, Surroundings, forwards};

impl Table {
    /// Takes note of a link. Returns how many routes went with it: where a link goes down the
    /// kernel removes its routes without a message.
    pub fn link(&mut self, index: u32, link: Link) -> usize {
        Beside::told(&mut self.link_dump, index);
        self.enter_link(index, link)
    }

    fn enter_link(&mut self, index: u32, link: Link) -> usize {
        let new = link.clone();
        match self.meanings.around.links.insert(index, link) {
            Some(old) if old == new => 0,
            Some(old) if old.up && !new.up => self.link_down(index),
            None if !new.up => self.link_down(index),
            _ => {
                self.link_changed(index);
                0
            }
        }
    }

    /// Takes note that a link is gone; returns how many routes went with it.
    pub fn remove_link(&mut self, index: u32) -> usize {
        Beside::told(&mut self.link_dump, index);
        match self.meanings.around.links.get_mut(&index) {
            Some(link) => {
                link.up = false;
                let removed = self.link_down(index);
                self.meanings.around.links.remove(&index);
                self.link_changed(index);
                removed
            }
            None => 0,
        }
    }

    /// Begins a dump of the links: what notifications say from here on is newer than it.
    pub fn begin_link_dump(&mut self) {
        self.link_dump = Some(Beside::default());
    }

    /// Takes note of a link that the dump shows, as [`Self::link`] does.
    pub fn dumped_link(&mut self, index: u32, link: Link) -> usize {
        if Beside::shown(&mut self.link_dump, index) {
            self.enter_link(index, link)
        } else {
            0
        }
    }

    /// Ends the dump and removes the links that it did not show; returns how many.
    pub fn sweep_links(&mut self) -> usize {
        let Some(dump) = self.link_dump.take() else {
            return 0;
        };
        let known: Vec<u32> = self.links().map(|(index, _)| index).collect();
        let gone = known.into_iter().filter(|index| dump.lacks(*index));
        gone.map(|index| self.remove_link(index)).count()
    }

    /// The link of an index.
    #[must_use]
    pub fn link_of(&self, index: u32) -> Option<&Link> {
        self.meanings.around.links.get(&index)
    }

    /// The links by index.
    pub fn links(&self) -> impl Iterator<Item = (u32, &Link)> {
        self.meanings
            .around
            .links
            .iter()
            .map(|(index, link)| (*index, link))
    }

    /// A link's state or name changed, so what goes through it means something else now.
    fn link_changed(&mut self, index: u32) {
        let changed = self
            .meanings
            .update_all(|around, set| around.uses_interface(set, index));
        self.refresh_sets(&changed);
    }

    /// A link went down: routes and next-hop objects through it are gone in silence.
    fn link_down(&mut self, index: u32) -> usize {
        let through = self
            .meanings
            .marks(|around, set| around.uses_interface(set, index));
        for id in self.meanings.around.objects.through(index) {
            self.meanings.around.objects.remove(id);
        }
        let gone = self.meanings.marks(goes_with_link);
        let mut removed = self.flush_sets(&gone.intersection(&through));
        if self
            .link_of(index)
            .is_some_and(|link| link.name == LOOPBACK)
        {
            removed += self.flush_sets(&self.meanings.marks(|_, set| is_at_loopback(set)));
        }
        let changed = self
            .meanings
            .update_all(|around, set| around.uses_interface(set, index) || by_object(set));
        self.refresh_sets(&changed);
        removed
    }

    /// Takes note of a next-hop object.
    pub fn next_hop(&mut self, id: u32, object: NextHopObject) {
        Beside::told(&mut self.next_hop_dump, id);
        self.enter_next_hop(id, object);
    }

    /// Stores a next-hop object that the dump shows.
    pub fn dumped_next_hop(&mut self, id: u32, object: NextHopObject) {
        if Beside::shown(&mut self.next_hop_dump, id) {
            self.enter_next_hop(id, object);
        }
    }

    fn enter_next_hop(&mut self, id: u32, object: NextHopObject) {
        if self.meanings.around.objects.insert(id, object) {
            self.objects_changed(id);
        }
    }

    /// Whether the next-hop object of this id is a blackhole.
    #[must_use]
    pub fn is_blackhole(&self, id: u32) -> bool {
        self.meanings.around.objects.get(id) == Some(&NextHopObject::Blackhole)
    }

    /// Takes note that a next-hop object is gone; returns how many routes went with it.
    pub fn remove_next_hop(&mut self, id: u32) -> usize {
        Beside::told(&mut self.next_hop_dump, id);
        if !self.meanings.around.objects.remove(id) {
            return 0;
        }
        let gone = self.meanings.marks(waits);
        let removed = self.flush_sets(&gone);
        let changed = self.meanings.update_all(|_, set| by_object(set));
        self.refresh_sets(&changed);
        removed
    }

    fn objects_changed(&mut self, id: u32) {
        let changed = self.meanings.update_all(|around, set| match set.next_hops {
            NextHopSource::Object(used) => around.objects.depends_on(used, id),
            NextHopSource::Inline(_) => false,
        });
        self.refresh_sets(&changed);
    }

    /// Starts a dump of the next-hop objects.
    pub fn begin_next_hop_dump(&mut self) {
        self.next_hop_dump = Some(Beside::default());
        self.meanings.around.objects.begin_dump();
    }

    /// Removes the objects that the dump did not show. Their routes stay until the route dump
    /// that follows has told whether they are still there.
    pub fn sweep_next_hops(&mut self) -> usize {
        self.next_hop_dump = None;
        let gone = self.meanings.around.objects.sweep();
        if !gone.is_empty() {
            let changed = self.meanings.update_all(|_, set| by_object(set));
            self.refresh_sets(&changed);
        }
        gone.len()
    }

    /// Takes note of VPP's interfaces; routes that can go in now, or must change, become dirty.
    pub fn set_interfaces(&mut self, interfaces: Interfaces) {
        if self.meanings.around.interfaces == interfaces {
            return;
        }
        self.meanings.around.interfaces = interfaces;
        let changed = self.meanings.update_all(|_, _| true);
        self.refresh_sets(&changed);
    }
}

/// The link that IPv6 ties routes to that forward to none.
const LOOPBACK: &str = "lo";

fn is_at_loopback(set: &NextHopSet) -> bool {
    set.family == Family::V6 && !forwards(set)
}

fn by_object(set: &NextHopSet) -> bool {
    matches!(set.next_hops, NextHopSource::Object(_))
}

/// Whether the set's next-hop object is unknown.
fn waits(around: &Surroundings, set: &NextHopSet) -> bool {
    matches!(set.next_hops, NextHopSource::Object(id) if around.objects.get(id).is_none())
}

/// Whether the kernel removes routes of the set when their last link goes down: all but IPv6
/// multipath routes, whose dead legs stay and revive (`fib6_ifdown`).
fn goes_with_link(around: &Surroundings, set: &NextHopSet) -> bool {
    if !forwards(set) || around.usable(set) {
        return false;
    }
    match (&set.next_hops, set.family) {
        (NextHopSource::Inline(hops), Family::V6) => hops.len() <= 1,
        _ => true,
    }
}
