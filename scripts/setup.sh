#!/usr/bin/env bash
# Makes .venv with everything that building and testing needs, and says clearly what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf '%s\n' "error: $*" >&2; exit 1; }

installed_with_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    # The lists may be empty on a new machine, or too old to serve.
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null 2>&1 ||
        { apt-get update -q >/dev/null &&
          DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null; }
}

python=""
for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed (Debian: apt-get install python3 python3-venv)"

wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
command -v cargo >/dev/null ||
    fail "a Rust toolchain is needed, $wanted or newer: see https://rustup.rs, or apt-get install cargo"
found=$(cargo --version | sed 's/^cargo \([0-9.]*\).*/\1/')
[ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] ||
    fail "Rust $wanted or newer is needed, this is $found: run 'rustup update stable'"
command -v cc >/dev/null || installed_with_apt gcc libc6-dev ||
    fail "a C linker is needed (Debian: apt-get install gcc libc6-dev)"

if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    installed_with_apt python3-venv ||
        fail "Python's venv module is missing (Debian: apt-get install python3-venv)"
fi
[ -x .venv/bin/python ] || "$python" -m venv .venv

for package in iproute2:ip bird2:bird; do
    command -v "${package#*:}" >/dev/null || [ -x "/usr/sbin/${package#*:}" ] && continue
    if installed_with_apt "${package%:*}"; then
        # The package starts a BIRD of its own; the tests bring theirs.
        [ "${package%:*}" = bird2 ] && command -v systemctl >/dev/null &&
            systemctl disable --now bird >/dev/null 2>&1 || true
    else
        printf '%s\n' "note: ${package%:*} is missing and cannot be installed here:" \
            "      what needs it is skipped (Debian: apt-get install ${package%:*})" >&2
    fi
done

.venv/bin/python - <<'PYTHON' >.venv/requirements.txt
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
print("\n".join(project["dependencies"] + project["optional-dependencies"]["dev"]))
PYTHON
.venv/bin/python -m pip install -q --disable-pip-version-check -r .venv/requirements.txt
