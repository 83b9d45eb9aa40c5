#!/usr/bin/env bash
# Sets a machine up, and says clearly what is missing where it cannot.
#   setup.sh                           .venv with everything that building and testing needs
#   setup.sh programs PACKAGE:PROGRAM… Debian packages, each with a program that tells it is there
#   setup.sh extract PACKAGE:PROGRAM…  one program out of a Debian package, into .venv/bin: nothing
#                                      is installed, so no service starts
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf '%s\n' "error: $*" >&2; exit 1; }

installed_with_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    printf '%s\n' "installing $*" >&2
    # The lists may be empty on a new machine, or too old to serve.
    apt_install "$@" >/dev/null 2>&1 ||
        { apt-get update -q >/dev/null && apt_install "$@" >/dev/null; }
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

install_programs() {
    local pair program missing=()
    for pair; do
        program=${pair#*:}
        command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || missing+=("$pair")
    done
    [ ${#missing[@]} = 0 ] && return
    if installed_with_apt "${missing[@]%:*}"; then
        for pair in "${missing[@]}"; do stop_service "${pair#*:}"; done
    else
        printf '%s\n' "note: these are missing and cannot be installed here, what needs them is skipped:" \
            "      ${missing[*]%:*} (Debian, as root: apt-get install ${missing[*]%:*})" >&2
    fi
}

extract_programs() {
    local package program place
    for pair; do
        package=${pair%:*} program=${pair#*:}
        if command -v "$program" >/dev/null || [ -x ".venv/bin/$program" ]; then
            continue
        fi
        place=$(mktemp -d)
        printf '%s\n' "taking $program out of $package" >&2
        if apt_download "$place" "$package" && dpkg-deb -x "$place"/*.deb "$place/files"; then
            install -D "$(find "$place/files" -type f -name "$program" -perm /111 | head -n 1)" \
                ".venv/bin/$program"
        else
            printf '%s\n' "note: $program cannot be had here: what needs it is skipped" \
                "      (Debian: apt-get install $package)" >&2
        fi
        rm -rf "$place"
    done
}

# As for the others, the lists may be empty or too old.
apt_download() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    (cd "$1" && { apt-get download -q "$2" ||
        { apt-get update -q && apt-get download -q "$2"; }; }) >/dev/null 2>&1
}

# The packages start a BIRD and a zebra of their own; the tests bring theirs.
stop_service() {
    local service
    case $1 in bird) service=bird ;; vtysh) service=frr ;; *) return 0 ;; esac
    if [ -d /run/systemd/system ]; then
        systemctl disable --quiet --now "$service" || true
    elif [ -x "/etc/init.d/$service" ]; then
        "/etc/init.d/$service" stop >/dev/null 2>&1 || true
    fi
}

# Prints the first Python that is new enough, BASE_PYTHON before others.
find_python() {
    local candidate
    for candidate in "${BASE_PYTHON:-}" python3.14 python3.13 python3.12 python3.11 python3; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed (Debian: apt-get install python3 python3-venv)"
}

check_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    command -v cargo >/dev/null ||
        fail "a Rust toolchain is needed, $wanted or newer: see https://rustup.rs"
    found=$(cargo --version | sed 's/^cargo \([0-9.]*\).*/\1/')
    [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ] ||
        fail "Rust $wanted or newer is needed, this is $found: run 'rustup update stable'"
    command -v cc >/dev/null || installed_with_apt gcc libc6-dev ||
        fail "a C linker is needed (Debian: apt-get install gcc libc6-dev)"
}

make_environment() {
    local python
    python=$(find_python)
    check_rust
    if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        installed_with_apt python3-venv && "$python" -c 'import venv, ensurepip' 2>/dev/null ||
            fail "the venv module of $python is missing (Debian: apt-get install python3-venv)"
    fi
    # One that was left half made has no pip, or would even have the system's.
    .venv/bin/python -c 'import pip, sys; sys.exit(sys.prefix == sys.base_prefix)' 2>/dev/null ||
        "$python" -m venv --clear .venv
    # Of the versions in uv.lock, uv among them. What is there besides stays: our own module.
    .venv/bin/python -m pip install -q --disable-pip-version-check "uv==$(locked_version uv)"
    UV_PROJECT_ENVIRONMENT=.venv .venv/bin/uv sync --quiet --locked --inexact --all-extras \
        --no-install-project
}

locked_version() {
    sed -n "/^name = \"$1\"/{n;s/^version = \"\(.*\)\"/\1/p}" uv.lock
}

if [ "${1:-}" = programs ]; then
    shift
    install_programs "$@"
elif [ "${1:-}" = extract ]; then
    shift
    extract_programs "$@"
else
    make_environment
fi
