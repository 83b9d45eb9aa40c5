//! The route table: the kernel's routes, the installed paths, and the difference.
//!
//! Kernel changes enter through [`Table::announce`], [`Table::withdraw`] and similar methods and
//! take effect at once. A prefix whose desired paths differ from the installed ones becomes *dirty*
//! and is queued, once, however often it changes, until [`Table::take_dirty`] hands it out. The
//! outcome of a request comes back through [`Table::acknowledge`]: only what VPP has acknowledged
//! counts as installed.

mod fib;
mod kernel;
mod protocols;
mod query;
mod resolve;
mod route_table;
mod scope;
mod store;

pub use fib::fib_audit::{Shown, VppDrift};
pub use fib::limit::{Limit, LimitAction, LimitChange};
pub use fib::prefix_lists::{PrefixLists, PrefixRule, RuleAction};
pub use fib::request::{DirtyBatch, Request};
pub use fib::results::RouteResult;
pub use fib::withheld::WithheldDeletions;
pub use kernel::discovered::{Discovery, LOCAL_TABLE, MirroredTable};
pub use kernel::drift::{Drift, DriftReport};
pub use kernel::kernel_order::InsertMode;
pub use kernel::resync_state::{DumpScope, SweepReport, Verify};
pub use kernel::unseen::UnseenPrefixes;
pub use kernel::update::Announcement;
pub use protocols::Protocols;
pub use query::counts::{Anomalies, Counts};
pub use query::filter::RouteFilter;
pub use query::in_order::RoutesInOrder;
pub use query::listing::Cursor;
pub use query::route_groups::RouteGroup;
pub use query::route_state::RouteState;
pub use query::sets::SetView;
pub use query::view::RouteView;
pub use resolve::fallback::{Fallback, Resolved, Substitute};
pub use resolve::hold_reason::HoldReason;
pub use resolve::interfaces::{Interfaces, Link, Unmapped};
pub use resolve::nexthops::NextHopObject;
pub use route_table::Table;
pub use scope::{ForeignRoutes, RouteSource, Scope};
pub use store::ids::{Handle, PathSetId};
