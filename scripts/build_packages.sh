#!/usr/bin/env bash
# Builds the Debian package and the RPM: build_packages.sh FOLDER [WHEEL]
# The Python libraries are in them, below /usr/lib/bgpreflector: of the versions in uv.lock, and
# compiled for each minor version of Python that we support, side by side. What nfpm does not know
# of is done here: which files there are, and which C library they need.
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."

out=$(realpath -m "$1")
python=.venv/bin/python
minors="11 12 13 14"
MTIME=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}" +%FT%TZ)
SOURCE_DATE_EPOCH=$(date -d "$MTIME" +%s)
VERSION=$(sed -n '/^\[workspace.package\]/,/^version/s/^version = "\(.*\)"/\1/p' Cargo.toml)
case $(uname -m) in x86_64) ARCHITECTURE=amd64 ;; aarch64) ARCHITECTURE=arm64 ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
FILES=$work/files
export ARCHITECTURE FILES SOURCE_DATE_EPOCH VERSION
wheel=${2:-}
home=$FILES/usr/lib/bgpreflector
libraries=$home/site-packages

place() { install -D -m "$1" "$2" "$FILES/$3"; }

# Of the project, as the wheel's metadata has it; who builds a package of his own names himself.
described() {
    "$python" - "$1" <<-'END'
		import sys, tomllib

		project = tomllib.load(open("pyproject.toml", "rb"))["project"]
		(maintainer,) = project["maintainers"]
		print({
		    "maintainer": f"{maintainer['name']} <{maintainer['email']}>",
		    "vendor": maintainer["name"],
		    "homepage": project["urls"]["Homepage"],
		}[sys.argv[1]])
	END
}

install_libraries() {
    local minor folder
    if [ -z "$wheel" ]; then
        "$python" -m maturin build --release --locked --quiet --out "$work/wheel" 2>/dev/null
        wheel=$(echo "$work"/wheel/*.whl)
    fi
    .venv/bin/uv export --quiet --locked --no-emit-project --no-dev --output-file "$work/libraries.txt"
    for minor in $minors; do
        folder=$work/python3.$minor
        install_with_uv "$folder" "$minor" 2_28 --require-hashes --requirement "$work/libraries.txt"
        # As new a C library as the machine has that built it.
        install_with_uv "$folder" "$minor" 2_40 "$wheel"
        # What pip would need to change them: they are ours.
        rm -rf "${folder:?}/bin" "$folder/.lock" \
            "$folder"/*.dist-info/{INSTALLER,RECORD,REQUESTED,WHEEL,direct_url.json,uv_cache.json}
        # Which wheel a library came from is no difference between its files.
        rm -f "$folder"/pydantic_core-*.dist-info/sboms/*
        merge "$folder"
    done
    find "$libraries" -name '*.so' -exec strip --strip-unneeded -R .comment -R .note {} +
    find "$libraries" -name '*.so' -exec chmod 644 {} +
}

install_with_uv() {
    local folder=$1 minor=$2 glibc=$3
    shift 3
    .venv/bin/uv pip install --quiet --target "$folder" --python-version "3.$minor" --no-deps \
        --python-platform "$(uname -m)-manylinux_$glibc" --only-binary :all: --link-mode copy "$@"
}

# Compiled modules have their Python's version in their name; all other files must be the same.
merge() {
    local file
    mkdir -p "$libraries"
    (cd "$1" && find . -type f -printf '%P\n') | while read -r file; do
        if [ ! -e "$libraries/$file" ]; then
            install -D -m 644 "$1/$file" "$libraries/$file"
        elif ! cmp -s "$1/$file" "$libraries/$file"; then
            echo "error: $file is not the same for every Python: $1 differs" >&2
            return 1
        fi
    done
}

# As `python3 -m venv` makes one, with the same libraries for each Python.
make_environment() {
    local minor
    install -d "$home/bin" "$FILES/usr/bin"
    ln -s ../../../bin/python3 "$home/bin/python3"
    printf 'home = /usr/bin\ninclude-system-site-packages = false\n' >"$home/pyvenv.cfg"
    for minor in $minors; do
        install -d "$home/lib/python3.$minor"
        ln -s ../../site-packages "$home/lib/python3.$minor/site-packages"
    done
    install -m 755 packaging/package/start "$home/bin/bgpreflector"
    ln -s ../lib/bgpreflector/bin/bgpreflector "$FILES/usr/bin/bgpreflector"
}

place_files() {
    local page documents=usr/share/doc/bgpreflector
    place 644 packaging/bgpreflector.toml etc/bgpreflector/bgpreflector.toml
    place 644 packaging/systemd/bgpreflector.service usr/lib/systemd/system/bgpreflector.service
    place 644 packaging/systemd/bgpreflector.service.d/notify-reload.conf \
        "$documents/examples/notify-reload.conf"
    place 644 packaging/prometheus/bgpreflector.rules.yml "$documents/examples/bgpreflector.rules.yml"
    place 644 packaging/grafana/bgpreflector.json "$documents/examples/bgpreflector.json"
    place 644 packaging/package/copyright "$documents/copyright"
    "$python" scripts/write_man.py "$work/man"
    for page in "$work"/man/*.[1-8]; do
        place 644 "$page" "usr/share/man/man${page##*.}/$(basename "$page")"
    done
    gzip -9n "$FILES"/usr/share/man/man*/*
    completion bash usr/share/bash-completion/completions/bgpreflector
    completion fish usr/share/fish/vendor_completions.d/bgpreflector.fish
    completion zsh deb/usr/share/zsh/vendor-completions/_bgpreflector
    completion zsh rpm/usr/share/zsh/site-functions/_bgpreflector
    place 644 packaging/package/lintian-overrides deb/usr/share/lintian/overrides/bgpreflector
    place 644 CHANGELOG.md "deb/$documents/changelog"
    printf 'bgpreflector (%s-1) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- %s  %s\n' \
        "$VERSION" "$MAINTAINER" "$(date -R -u -d "$MTIME")" >"$FILES/deb/$documents/changelog.Debian"
    gzip -9n "$FILES/deb/$documents"/changelog*
    place 644 CHANGELOG.md "rpm/$documents/CHANGELOG.md"
}

completion() {
    install -d "$(dirname "$FILES/$2")"
    _BGPREFLECTOR_COMPLETE=source_$1 .venv/bin/bgpreflector >"$FILES/$2"
}

# The newest version of the C library that any compiled module names.
needed_glibc() {
    find "$libraries" -name '*.so' -exec readelf --wide --dyn-syms {} + |
        grep -o '@GLIBC_[0-9.]*' | sed 's/@GLIBC_//' | sort -Vu | tail -n 1
}

MAINTAINER="${DEBFULLNAME:+$DEBFULLNAME <${DEBEMAIL:?is needed beside DEBFULLNAME}>}"
MAINTAINER=${MAINTAINER:-$(described maintainer)} VENDOR=$(described vendor)
HOMEPAGE=$(described homepage)
export MAINTAINER VENDOR HOMEPAGE
install_libraries
make_environment
place_files
GLIBC=$(needed_glibc)
export GLIBC
mkdir -p "$out"
for kind in deb rpm; do
    .venv/bin/nfpm package --config packaging/package/nfpm.yaml --packager "$kind" --target "$out" >&2
done
