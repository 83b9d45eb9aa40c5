//! The engine's methods about the kernel, zebra and links.

use std::collections::HashMap;
use std::net::IpAddr;

use bgpreflector_core::route::HardwareAddress;
use bgpreflector_core::table::{Interfaces, Link, RouteSource, Unmapped};
use bgpreflector_core::vpp::address::family_of;
use bgpreflector_engine::kernel::LookupResult;
use pyo3::prelude::*;

use crate::batch::RouteBatch;
use crate::convert::{self, NextHopTuple};
use crate::engine::Engine;
use crate::errors;
use crate::fpm::FpmStatus;
use crate::reports::{DriftTuple, ResyncReport, drift};
use crate::requests::{PathTuple, path_set};
use crate::views::{KernelRoute, LookupCheck};

#[pymethods]
impl Engine {
    fn check_start(&self, py: Python<'_>, replaced: PyRef<'_, Self>) -> PyResult<()> {
        let released = replaced.inner.with(py, |inner| inner.fpm_address());
        self.inner
            .with(py, |inner| inner.check_start(released))
            .map_err(errors::kernel)
    }

    fn start(&self, py: Python<'_>) -> PyResult<()> {
        self.inner
            .with(py, |inner| inner.start())
            .map_err(errors::kernel)
    }

    fn resync(&self, py: Python<'_>) -> PyResult<ResyncReport> {
        self.inner
            .with(py, |inner| inner.resync())
            .map(ResyncReport::from)
            .map_err(errors::kernel)
    }

    fn audit(&self, py: Python<'_>) -> PyResult<ResyncReport> {
        self.inner
            .with(py, |inner| inner.audit())
            .map(ResyncReport::from)
            .map_err(errors::kernel)
    }

    fn set_vpp_tables(&self, py: Python<'_>, ours: Vec<(u32, u32)>, others: Vec<u32>) {
        self.inner.with(py, |inner| {
            inner
                .shared()
                .change(|table| table.set_vpp_tables(&ours, &others));
        });
    }

    fn discover_vpp_table(&self, py: Python<'_>, vpp_table: u32, is_ip6: bool) -> bool {
        let family = family_of(is_ip6);
        self.inner.with(py, |inner| {
            inner
                .shared()
                .change(|table| table.discover_vpp_table(family, vpp_table))
        })
    }

    fn last_drift(&self, py: Python<'_>) -> Vec<DriftTuple> {
        drift(&self.inner.with(py, |inner| inner.shared().last_drift()))
    }

    #[pyo3(signature = (table, prefix, next_hops, *, protocol, metric = 0, route_type = "unicast"))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn announce(
        &self,
        py: Python<'_>,
        table: u32,
        prefix: &str,
        next_hops: Vec<NextHopTuple>,
        protocol: u8,
        metric: u32,
        route_type: &str,
    ) -> PyResult<()> {
        let mut route = convert::route(table, prefix, next_hops, protocol, metric)?;
        route.set.route_type = convert::route_type_named(route_type)?;
        self.inner.with(py, |inner| inner.announce(route));
        Ok(())
    }

    #[pyo3(signature = (index, name, *, vrf_table = None))]
    fn announce_link(&self, py: Python<'_>, index: u32, name: String, vrf_table: Option<u32>) {
        let link = Link {
            name,
            up: true,
            carrier: true,
            address: None,
            vrf_table,
        };
        self.inner
            .with(py, |inner| inner.announce_link(index, link));
    }

    #[pyo3(signature = (table, prefix, next_hops, *, protocol, metric = 0))]
    fn withdraw(
        &self,
        py: Python<'_>,
        table: u32,
        prefix: &str,
        next_hops: Vec<NextHopTuple>,
        protocol: u8,
        metric: u32,
    ) -> PyResult<()> {
        let route = convert::route(table, prefix, next_hops, protocol, metric)?;
        self.inner.with(py, |inner| inner.withdraw(route));
        Ok(())
    }

    #[pyo3(signature = (withdrawn, announced, *, protocol))]
    fn take_injected(
        &self,
        py: Python<'_>,
        withdrawn: Vec<(u32, String)>,
        announced: Vec<(u32, String, Vec<NextHopTuple>)>,
        protocol: u8,
    ) -> PyResult<RouteBatch> {
        let (keys, routes) = convert::injected(withdrawn, announced, protocol)?;
        let batch = self
            .inner
            .with(py, |inner| inner.take_injected(keys, routes));
        Ok(RouteBatch::new(batch))
    }

    fn forget_kernel(&self, py: Python<'_>) {
        self.inner.with(py, |inner| inner.forget_kernel());
    }

    fn lookup(
        &self,
        py: Python<'_>,
        address: IpAddr,
    ) -> PyResult<(Option<KernelRoute>, Option<i32>)> {
        let found = self.inner.with(py, |inner| inner.lookup(address));
        Ok(match found.map_err(errors::kernel)? {
            LookupResult::Route(route) => (Some(KernelRoute::from(*route)), None),
            LookupResult::Error(errno) => (None, Some(errno)),
            // The lookup itself returns it as an error.
            LookupResult::Unreadable(_) => (None, None),
        })
    }

    fn check_lookups(
        &self,
        py: Python<'_>,
        prefixes: Vec<(u32, String)>,
    ) -> PyResult<Vec<LookupCheck>> {
        let asked = |(table, text): (u32, String)| Ok((table, convert::prefix(&text)?));
        let asked: PyResult<Vec<_>> = prefixes.into_iter().map(asked).collect();
        let asked = asked?;
        let checked = self.inner.with(py, |inner| inner.check_lookups(&asked));
        let checked = checked.map_err(errors::kernel)?.into_iter();
        checked.map(|one| LookupCheck::of(py, one)).collect()
    }

    fn compare_with_kernel(
        &self,
        py: Python<'_>,
        route: &KernelRoute,
        vpp_table: u32,
        prefix: &str,
        paths: Vec<PathTuple>,
    ) -> PyResult<(bool, Vec<String>, Option<String>)> {
        let (prefix, shown) = (convert::prefix(prefix)?, path_set(&paths));
        let set = &route.set;
        let compared = self.inner.with(py, |inner| {
            inner.compare_with_kernel(set, vpp_table, &prefix, shown.as_ref())
        });
        Ok(match compared {
            Ok((desired, same)) => (same, convert::paths(&desired), None),
            Err(held) => (false, Vec::new(), Some(held.to_string())),
        })
    }

    fn sysctl(&self, py: Python<'_>, key: &str) -> PyResult<Option<String>> {
        self.inner
            .with(py, |inner| inner.sysctl(key))
            .map_err(errors::kernel)
    }

    fn fpm(&self, py: Python<'_>) -> Option<FpmStatus> {
        self.inner.with(py, |inner| {
            (inner.source() == RouteSource::Fpm).then(|| FpmStatus::of(inner))
        })
    }

    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    #[pyo3(signature = (interfaces, unmapped, recursive, *, fallback = "hold", skip_next_hops = false, same_mac = None))]
    fn set_interfaces(
        &self,
        py: Python<'_>,
        interfaces: HashMap<String, u32>,
        unmapped: Option<u32>,
        recursive: bool,
        fallback: &str,
        skip_next_hops: bool,
        same_mac: Option<HashMap<String, (u32, HardwareAddress)>>,
    ) -> PyResult<()> {
        let fallback = convert::fallback(fallback)?;
        let unmapped = match (unmapped, recursive) {
            (Some(sw_if_index), _) => Unmapped::Interface(sw_if_index),
            (None, true) => Unmapped::Recursive,
            (None, false) => Unmapped::Wait,
        };
        let map = interfaces.into_iter().collect();
        let same_mac = same_mac.unwrap_or_default().into_iter().collect();
        self.inner.with(py, |inner| {
            inner.set_interfaces(Interfaces {
                map,
                same_mac,
                unmapped,
                fallback,
                skip_next_hops,
            })
        });
        Ok(())
    }
}
