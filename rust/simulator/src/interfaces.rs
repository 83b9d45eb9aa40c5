//! Interfaces, their addresses, and linux-cp pairs.

use bgpreflector_core::route::Prefix;
use std::net::IpAddr;

use crate::settings::Settings;

/// An interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    pub(crate) sw_if_index: u32,
    pub(crate) name: String,
    /// `interface_dev_type`
    pub(crate) device: &'static str,
    pub(crate) mac: [u8; 6],
    pub(crate) up: bool,
    pub(crate) addresses: Vec<(IpAddr, u8)>,
}

/// All interfaces. As in VPP, a new interface gets the index that was freed last, so a recreated
/// one may get its old index.
#[derive(Debug)]
pub(crate) struct Interfaces {
    all: Vec<Interface>,
    next: u32,
    freed: Vec<u32>,
    /// VPP interface name and Linux interface name.
    pub(crate) pairs: Vec<(String, String)>,
}

impl Interfaces {
    pub(crate) fn new(settings: &Settings, shift: u32) -> Self {
        let mut new = Self {
            all: Vec::new(),
            next: 0,
            freed: Vec::new(),
            pairs: settings.pairs.clone(),
        };
        new.add("local0".into(), "local", [0; 6]);
        new.next = shift.saturating_add(1);
        for (instance, name) in (0..).zip(&settings.interfaces) {
            let index = new.add(name.clone(), "Loopback", mac_of(instance));
            new.set_up(index, true);
        }
        new
    }

    fn add(&mut self, name: String, device: &'static str, mac: [u8; 6]) -> u32 {
        let sw_if_index = self.freed.pop().unwrap_or_else(|| {
            let next = self.next;
            self.next = next.saturating_add(1);
            next
        });
        self.all.push(Interface {
            sw_if_index,
            name,
            device,
            mac,
            up: false,
            addresses: Vec::new(),
        });
        self.all.sort_by_key(|interface| interface.sw_if_index);
        sw_if_index
    }

    /// Creates a loopback with this instance, or the lowest free one; none if it exists.
    pub(crate) fn add_loopback(&mut self, instance: Option<u32>) -> Option<u32> {
        let name = |instance: u32| format!("loop{instance}");
        let instance = match instance {
            Some(instance) => Some(instance).filter(|i| self.index(&name(*i)).is_none()),
            None => (0..=u32::MAX).find(|i| self.index(&name(*i)).is_none()),
        }?;
        Some(self.add(name(instance), "Loopback", mac_of(instance)))
    }

    /// Creates the tap interface of a pair.
    pub(crate) fn add_tap(&mut self) -> u32 {
        let name = |number: u32| format!("tap{number}");
        // linux-cp numbers its taps from 4096.
        let number = (4096..u32::MAX).find(|n| self.index(&name(*n)).is_none());
        let number = number.unwrap_or_default();
        self.add(name(number), "virtio", mac_of(number))
    }

    /// Removes an interface and its pair, except `local0`.
    pub(crate) fn remove(&mut self, sw_if_index: u32) -> Option<Interface> {
        let position = self.all.iter().position(|i| i.sw_if_index == sw_if_index);
        let position = position.filter(|position| *position != 0)?;
        let removed = self.all.remove(position);
        self.freed.push(sw_if_index);
        self.pairs.retain(|(vpp, _)| *vpp != removed.name);
        Some(removed)
    }

    pub(crate) fn all(&self) -> &[Interface] {
        &self.all
    }

    pub(crate) fn has(&self, sw_if_index: u32) -> bool {
        self.get(sw_if_index).is_some()
    }

    pub(crate) fn get(&self, sw_if_index: u32) -> Option<&Interface> {
        self.all.iter().find(|i| i.sw_if_index == sw_if_index)
    }

    pub(crate) fn index(&self, name: &str) -> Option<u32> {
        let named = self.all.iter().find(|i| i.name == name);
        named.map(|i| i.sw_if_index)
    }

    /// Sets the administrative state; returns whether it changed, none if there is no interface.
    pub(crate) fn set_up(&mut self, sw_if_index: u32, up: bool) -> Option<bool> {
        let interface = self.get_mut(sw_if_index)?;
        Some(std::mem::replace(&mut interface.up, up) != up)
    }

    fn get_mut(&mut self, sw_if_index: u32) -> Option<&mut Interface> {
        self.all.iter_mut().find(|i| i.sw_if_index == sw_if_index)
    }

    /// Adds an address; false if its network is already on an interface.
    pub(crate) fn add_address(&mut self, sw_if_index: u32, address: (IpAddr, u8)) -> bool {
        let network = |(address, length): (IpAddr, u8)| Prefix::new(address, length).ok();
        let wanted = network(address);
        let mut taken = self.all.iter().flat_map(|i| &i.addresses);
        let overlaps = |other: &(IpAddr, u8)| {
            let shorter = address.1.min(other.1);
            other.0.is_ipv4() == address.0.is_ipv4()
                && network((other.0, shorter)) == network((address.0, shorter))
        };
        if wanted.is_none() || taken.any(overlaps) {
            return false;
        }
        if let Some(interface) = self.get_mut(sw_if_index) {
            interface.addresses.push(address);
        }
        true
    }

    /// Removes an address; false if it does not exist.
    pub(crate) fn remove_address(&mut self, sw_if_index: u32, address: (IpAddr, u8)) -> bool {
        let Some(interface) = self.get_mut(sw_if_index) else {
            return false;
        };
        let before = interface.addresses.len();
        interface.addresses.retain(|other| *other != address);
        interface.addresses.len() < before
    }
}

fn mac_of(instance: u32) -> [u8; 6] {
    let [a, b, c, d] = instance.to_be_bytes();
    [0xde, 0xad, a, b, c, d]
}
