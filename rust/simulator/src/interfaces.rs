//! Interfaces and linux-cp pairs.

use crate::settings::Settings;

/// An interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) sw_if_index: u32,
    pub(crate) name: String,
    pub(crate) up: bool,
}

/// All interfaces. An index is never used again, as a deleted interface made anew has another.
#[derive(Debug)]
pub(crate) struct Interfaces {
    all: Vec<Interface>,
    next: u32,
    /// VPP interface name and Linux interface name.
    pub(crate) pairs: Vec<(String, String)>,
}

impl Interfaces {
    pub(crate) fn new(settings: &Settings, shift: u32) -> Self {
        let local0 = Interface {
            sw_if_index: 0,
            name: "local0".into(),
            up: false,
        };
        let first = shift.saturating_add(1);
        let mut new = Self {
            all: vec![local0],
            next: first,
            pairs: settings.pairs.clone(),
        };
        for name in &settings.interfaces {
            new.add(name.clone());
        }
        for interface in &mut new.all {
            interface.up = interface.sw_if_index != 0;
        }
        new
    }

    fn add(&mut self, name: String) -> u32 {
        let sw_if_index = self.next;
        self.next = self.next.saturating_add(1);
        self.all.push(Interface {
            sw_if_index,
            name,
            up: false,
        });
        sw_if_index
    }

    /// Makes a loopback under the first free name.
    pub(crate) fn add_loopback(&mut self) -> u32 {
        let taken = |name: &str| self.all.iter().any(|interface| interface.name == name);
        let name = (0..=self.all.len())
            .map(|n| format!("loop{n}"))
            .find(|name| !taken(name));
        self.add(name.unwrap_or_default())
    }

    pub(crate) fn remove(&mut self, sw_if_index: u32) -> bool {
        let before = self.all.len();
        self.all
            .retain(|i| i.sw_if_index != sw_if_index || sw_if_index == 0);
        self.all.len() < before
    }

    pub(crate) fn all(&self) -> &[Interface] {
        &self.all
    }

    pub(crate) fn has(&self, sw_if_index: u32) -> bool {
        self.all
            .iter()
            .any(|interface| interface.sw_if_index == sw_if_index)
    }

    pub(crate) fn index(&self, name: &str) -> Option<u32> {
        self.all
            .iter()
            .find(|i| i.name == name)
            .map(|i| i.sw_if_index)
    }

    pub(crate) fn set_up(&mut self, sw_if_index: u32, up: bool) -> bool {
        match self.all.iter_mut().find(|i| i.sw_if_index == sw_if_index) {
            Some(interface) => {
                interface.up = up;
                true
            }
            None => false,
        }
    }
}
