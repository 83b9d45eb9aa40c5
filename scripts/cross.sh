#!/usr/bin/env bash
# Tools for other systems than this one, out of Debian's packages. Nothing is installed: they are
# unpacked into a folder, and it takes no rights.
#   cross.sh rust FOLDER                  FOLDER/bin/cargo and rustc, with the source of their
#                                         standard library, from which one for any target is compiled
#   cross.sh python FOLDER glibc aarch64  FOLDER/python: that of a Debian for aarch64, run by qemu
#   cross.sh python FOLDER musl ARCH      FOLDER/python: of the same version, compiled against musl
# It is written for the packages of Debian 12. The Python for musl has no OpenSSL, and so no module
# ssl, which bgpreflector's metrics load: tests of the module run with it, the daemon does not.
set -euo pipefail
script=$(realpath "$0")
cd "$(dirname "$script")/.."

fail() { printf '%s\n' "error: $*" >&2; exit 1; }

# How apt is to see another machine of the architecture that has nothing installed.
as_architecture() {
    local state=$1/apt-$2
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    touch "$state/status"
    options=(-o APT::Architecture="$2" -o APT::Architectures="$2" -o Dir::State="$state"
        -o Dir::State::status="$state/status" -o Dir::State::lists="$state/lists"
        -o Dir::Cache="$state/cache" -o APT::Sandbox::User="$(id -un)")
}

apt_quietly() { apt-get "${options[@]}" -q "$@"; }

# Unpacks packages into a folder, with all that they need and the machine has not got.
unpack() {
    local folder=$1 packages place
    shift
    packages=$(apt_quietly install --simulate --no-install-recommends "$@" |
        sed -n 's/^Inst \([^ ]*\) .*/\1/p')
    [ -n "$packages" ] || packages=$*
    place=$(mktemp -d)
    # shellcheck disable=SC2086 # a list of names
    (cd "$place" && apt_quietly download $packages) >/dev/null
    mkdir -p "$folder"
    find "$place" -name '*.deb' -exec dpkg-deb -x {} "$folder" \;
    rm -rf "$place"
}

# Rust of Debian is newer than that of its release: browsers need one (package rustc-web).
get_rust() {
    local folder=$1 program
    options=(-o APT::Sandbox::User="$(id -un)")
    apt-cache show rustc-web >/dev/null 2>&1 || apt_quietly update >/dev/null ||
        fail "the lists of packages are missing: run apt-get update"
    unpack "$folder" rustc-web cargo-web libstd-rust-web-dev rust-web-src
    mkdir -p "$folder/bin"
    for program in rustc cargo; do
        cat >"$folder/bin/$program" <<-END
			#!/bin/sh
			LD_LIBRARY_PATH=$folder/usr/lib/$(uname -m)-linux-gnu exec $folder/usr/bin/$program "\$@"
		END
        chmod +x "$folder/bin/$program"
    done
    "$folder/bin/rustc" --version >&2
}

get_python() {
    local folder=$1 libc=$2 architecture=$3 emulator=
    if [ "$architecture" != "$(uname -m)" ]; then
        options=(-o APT::Sandbox::User="$(id -un)")
        emulator=$folder/usr/bin/qemu-$architecture-static
        [ -x "$emulator" ] || unpack "$folder" qemu-user-static
        emulator="$emulator -L $folder/root"
    fi
    as_architecture "$folder" "$(debian_name "$architecture")"
    apt_quietly update >/dev/null
    if [ "$libc" = glibc ]; then
        unpack "$folder/root" python3.11
        launcher "$folder" "$emulator" "$folder/root/usr/bin/python3.11"
    else
        unpack "$folder/root" musl
        compile_python "$folder" "$architecture"
        launcher "$folder" "$emulator" "$folder/root/usr/local/bin/python3.11"
    fi
    "$folder/python" -c 'import platform; print(platform.machine(), platform.python_version())' >&2
}

debian_name() {
    case $1 in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) fail "not known: $1" ;; esac
}

# What is started as `sys.executable` is to be emulated too.
launcher() {
    mkdir -p "$1/site"
    printf 'import sys\n\nsys.executable = "%s"\n' "$1/python" >"$1/site/sitecustomize.py"
    printf '#!/bin/sh\nPYTHONPATH="%s:$PYTHONPATH" exec %s %s "$@"\n' "$1/site" "$2" "$3" \
        >"$1/python"
    chmod +x "$1/python"
}

# By zig, which has musl's headers and knows every architecture; run with Debian's musl.
compile_python() {
    local folder=$1 host=$2-linux-musl zig build=$1/build
    .venv/bin/python -m pip install -q --disable-pip-version-check ziglang
    zig=$(.venv/bin/python -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/zig
    mkdir -p "$build"
    sources_of "$build" libffi zlib python3.11
    # Where headers are it would say for this machine, so it does not answer that.
    cat >"$build/cc" <<-END
		#!/bin/sh
		case " \$* " in
		*" -print-multiarch "*) echo $host && exit ;;
		*" -E -v - "*) exit 1 ;;
		*" -c "* | *" -E "* | *" -shared "*) exec $zig cc -target $host -fPIC "\$@" ;;
		esac
		exec $zig cc -target $host -fPIC -pie -dynamic -rdynamic \\
		    -Wl,-dynamic-linker,$folder/root/lib/ld-musl-$2.so.1 "\$@"
	END
    chmod +x "$build/cc"
    export CC=$build/cc AR="$zig ar" RANLIB="$zig ranlib"
    compile_libraries "$build" "$host" >"$build/log" 2>&1 ||
        fail "zlib or libffi could not be compiled: see $build/log"
    # As wheels for musl name their modules; Python of this age does not do so by itself.
    sed -i "s/^\( *$2-linux-\)gnu$/\1musl/" "$build"/Python-*/configure
    # Configure cannot run what it compiles, and gets the results as variables; the older
    # musl has less than zig's. The libraries of this machine are for its own C library.
    (cd "$build"/Python-* && ./configure --prefix=/usr/local --host="$host" \
        --build="$(uname -m)-linux-gnu" --with-build-python=/usr/bin/python3.11 \
        --without-ensurepip --disable-test-modules \
        ac_cv_buggy_getaddrinfo=no ac_cv_file__dev_ptmx=yes ac_cv_file__dev_ptc=no \
        ac_cv_func_preadv2=no ac_cv_func_pwritev2=no ac_cv_header_stropts_h=no \
        READELF="$(command -v readelf)" PKG_CONFIG=false \
        CPPFLAGS="-I$build/include" LDFLAGS="-L$build/lib" \
        OPT="-O2 -DNDEBUG -Wno-date-time -fno-sanitize=undefined" &&
        make -j"$(nproc)" && make install DESTDIR="$folder/root") >>"$build/log" 2>&1 ||
        fail "Python could not be compiled: see $build/log"
}

# What its modules zlib and ctypes need.
compile_libraries() {
    (cd "$1"/zlib-* && ./configure --static --prefix="$1" && make -j"$(nproc)" install) &&
        (cd "$1"/libffi-* && ./configure --prefix="$1" --libdir="$1/lib" --host="$2" \
            --build="$(uname -m)-linux-gnu" --disable-shared --disable-multi-os-directory \
            --disable-exec-static-tramp --disable-docs CFLAGS=-O2 &&
            make -j"$(nproc)" install)
}

# Unpacks sources into a folder, from where the packages themselves come; security's archive need not
# have the source of all that it has.
sources_of() {
    local folder=$1 list=$1/sources.list archive
    shift
    # shellcheck disable=SC2016 # apt fills them in
    apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' | grep -v -- '-security ' | sort -u >"$list"
    mkdir -p "$folder/lists/partial"
    (
        options=(-o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=/dev/null
            -o Dir::State::lists="$folder/lists" -o APT::Sandbox::User="$(id -un)")
        apt_quietly update >/dev/null
        cd "$folder" && apt_quietly source --download-only "$@" >/dev/null
    )
    for archive in "$folder"/*.orig.tar.*; do
        case $archive in *.asc) ;; *) tar -C "$folder" -xf "$archive" ;; esac
    done
}

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "this needs Debian's apt-get"
case ${1:-} in
rust) [ $# = 2 ] && folder=$(realpath -m "$2") && get_rust "$folder" ;;
python) [ $# = 4 ] && folder=$(realpath -m "$2") && get_python "$folder" "$3" "$4" ;;
*) sed -n '2,10s/^# //p' "$script" >&2 && exit 2 ;;
esac
