//! What the notification socket subscribes to, and its buffer.

use std::sync::atomic::Ordering;

use bgpreflector_core::netlink::constants::{
    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK,
    RTNLGRP_MPLS_ROUTE, RTNLGRP_NEXTHOP,
};

use crate::state::EngineState;

/// The multicast groups, as a mask.
pub(super) fn groups(links_only: bool) -> u32 {
    let all = [
        RTNLGRP_LINK,
        RTNLGRP_IPV4_IFADDR,
        RTNLGRP_IPV4_ROUTE,
        RTNLGRP_IPV6_IFADDR,
        RTNLGRP_IPV6_ROUTE,
        RTNLGRP_NEXTHOP,
        // A kernel without MPLS sends nothing to it.
        RTNLGRP_MPLS_ROUTE,
    ];
    let taken = if links_only { 1 } else { all.len() };
    let groups = all.iter().take(taken);
    groups.fold(0, |mask, group| mask | 1 << (group - 1))
}

pub(super) fn report_buffer(shared: &EngineState, asked: usize, granted: usize) {
    shared
        .kernel
        .receive_buffer
        .store(granted as u64, Ordering::Relaxed);
    // The kernel doubles the requested size to account for its overhead.
    if granted / 2 < asked {
        log::warn!(
            event = "receive buffer", granted_bytes = granted, asked_bytes = asked;
            "the kernel granted a receive buffer of {granted} bytes instead of {asked}: give this \
             process CAP_NET_ADMIN or raise net.core.rmem_max, or bursts of changes overrun the \
             buffer and each overrun costs a dump"
        );
    } else {
        log::info!(
            event = "receive buffer", granted_bytes = granted, asked_bytes = asked;
            "receive buffer for the kernel's notifications: {granted} bytes"
        );
    }
}
