#!/usr/bin/env bash
# Builds the Debian package: build_deb.sh FOLDER
# The Python libraries are in it, in an environment of its own below /usr/lib/bgpreflector, for the
# minor version of Python that builds it. It needs dpkg-deb and dpkg-shlibdeps (Debian: dpkg-dev).
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."

out=$(realpath -m "$1")
python=.venv/bin/python
version=$(sed -n '/^\[workspace.package\]/,/^version/s/^version = "\(.*\)"/\1/p' Cargo.toml)-1
architecture=$(dpkg --print-architecture)
minor=$("$python" -c 'import sys; print(sys.version_info.minor)')
# Who builds a package is its maintainer, and says so as Debian's own tools want it.
maintainer="${DEBFULLNAME:-The bgpreflector authors} <${DEBEMAIL:-bgpreflector@localhost}>"
# The same sources make the same package.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
home=usr/lib/bgpreflector
libraries=$root/$home/lib/python3.$minor/site-packages

place() { install -D -m "$1" "$2" "$root/$3"; }

# The versions of the libraries are those that the tests ran with.
fill_environment() {
    "$python" -m maturin build --release --locked --quiet --out "$work/wheel" 2>/dev/null
    "$python" -m pip freeze --exclude-editable >"$work/constraints"
    "$python" -m pip install -q --disable-pip-version-check --no-compile --only-binary :all: \
        --constraint "$work/constraints" --target "$libraries" "$work"/wheel/*.whl
    rm -rf "$libraries/bin"
    find "$libraries" -name '*.so' -exec strip --strip-unneeded -R .comment -R .note {} +
    "$python" -m compileall -q --invalidation-mode unchecked-hash -s "$root" "$libraries"
    install -d "$root/$home/bin" "$root/usr/bin"
    ln -s ../../../bin/python3 "$root/$home/bin/python3"
    cat >"$root/$home/pyvenv.cfg" <<-END
		home = /usr/bin
		include-system-site-packages = false
		version = 3.$minor
	END
    cat >"$root/$home/bin/bgpreflector" <<-END
		#!/$home/bin/python3 -I
		import sys

		from bgpreflector.cli import main

		sys.exit(main())
	END
    chmod 755 "$root/$home/bin/bgpreflector"
    ln -s "../lib/bgpreflector/bin/bgpreflector" "$root/usr/bin/bgpreflector"
}

place_files() {
    local page shell
    local share=usr/share/doc/bgpreflector
    place 644 packaging/bgpreflector.toml etc/bgpreflector/bgpreflector.toml
    place 644 packaging/systemd/bgpreflector.service usr/lib/systemd/system/bgpreflector.service
    place 644 packaging/systemd/bgpreflector.service.d/notify-reload.conf \
        "$share/examples/notify-reload.conf"
    place 644 packaging/prometheus/bgpreflector.rules.yml "$share/examples/bgpreflector.rules.yml"
    place 644 packaging/grafana/bgpreflector.json "$share/examples/bgpreflector.json"
    place 644 packaging/debian/copyright "$share/copyright"
    place 644 CHANGELOG.md "$share/changelog"
    printf 'bgpreflector (%s) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- %s  %s\n' \
        "$version" "$maintainer" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")" \
        >"$root/$share/changelog.Debian"
    "$python" scripts/write_man.py "$work/man"
    for page in "$work"/man/*.[1-8]; do
        place 644 "$page" "usr/share/man/man${page##*.}/$(basename "$page")"
    done
    place 644 packaging/debian/lintian-overrides usr/share/lintian/overrides/bgpreflector
    for shell in bash:usr/share/bash-completion/completions/bgpreflector \
        zsh:usr/share/zsh/vendor-completions/_bgpreflector \
        fish:usr/share/fish/vendor_completions.d/bgpreflector.fish; do
        install -d "$(dirname "$root/${shell#*:}")"
        _BGPREFLECTOR_COMPLETE=source_${shell%:*} .venv/bin/bgpreflector >"$root/${shell#*:}"
    done
    find "$root/$share/changelog" "$root/$share/changelog.Debian" "$root/usr/share/man" -type f \
        -exec gzip -9n {} +
}

# The libraries that the compiled modules are linked with.
linked_libraries() {
    mkdir -p "$work/debian"
    printf 'Source: bgpreflector\n\nPackage: bgpreflector\nArchitecture: any\n' >"$work/debian/control"
    (cd "$work" && find "$libraries" -name '*.so' -print0 |
        xargs -0 dpkg-shlibdeps -O --ignore-missing-info --warnings=0 2>/dev/null) |
        sed -n 's/^shlibs:Depends=//p'
}

describe() {
    local script
    install -d "$root/DEBIAN"
    sed -e "s/@VERSION@/$version/" -e "s/@MAINTAINER@/$maintainer/" -e "s/@ARCHITECTURE@/$architecture/" \
        -e "s/@SIZE@/$(du -sk --apparent-size "$root" | cut -f 1)/" \
        -e "s/@LIBRARIES@/$(linked_libraries)/" \
        -e "s/@PYTHON@/python3 (>= 3.$minor), python3 (<< 3.$((minor + 1)))/" \
        packaging/debian/control.in >"$root/DEBIAN/control"
    echo /etc/bgpreflector/bgpreflector.toml >"$root/DEBIAN/conffiles"
    for script in postinst prerm postrm; do
        place 755 "packaging/debian/$script" "DEBIAN/$script"
    done
    (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
}

fill_environment
place_files
describe
mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out/bgpreflector_${version}_$architecture.deb" >&2
