//! How large the benchmarks are.

/// Routes of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Of IPv4.
    pub v4: usize,
    /// Of IPv6.
    pub v6: usize,
}

/// A table's IPv4 routes; it has a fifth as many of IPv6.
const ROUTES: &str = "BGPREFLECTOR_BENCH_ROUTES";
const FULL: usize = 1_000_000;
/// What proves that a benchmark works.
const SMOKE: usize = 500;

impl Size {
    /// With a fifth as many IPv6 routes.
    pub fn with_v4(v4: usize) -> Self {
        Self { v4, v6: v4 / 5 }
    }

    /// The size from the environment; by default a full table, and a small one where this does not
    /// measure (`cargo test`).
    pub fn target() -> Self {
        let asked = std::env::var(ROUTES)
            .ok()
            .and_then(|text| text.parse().ok());
        let default = if measures() { FULL } else { SMOKE };
        Self::with_v4(asked.unwrap_or(default))
    }

    /// All routes.
    pub fn all(self) -> usize {
        self.v4 + self.v6
    }
}

/// Whether this runs under `cargo bench`.
pub fn measures() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}
