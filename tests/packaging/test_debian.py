"""The Debian package: built, looked into, and unpacked; its program runs from there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "packaging" / "debian"
NOBODY = 65534

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(*argv: str | Path, **environment: str) -> str:
    """Runs a command and returns its output; fails the test with its own words."""
    done = subprocess.run(
        argv, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make deb` builds it."""
    for program, owner in {"dpkg-deb": "dpkg", "dpkg-shlibdeps": "dpkg-dev", "cargo": ""}.items():
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: install {owner or 'a Rust toolchain'} to build the package")
    folder = tmp_path_factory.mktemp("deb")
    run(ROOT / "scripts" / "build_deb.sh", folder)
    (built,) = folder.glob("bgpreflector_*.deb")
    return built


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What it puts into the file system."""
    folder = tmp_path_factory.mktemp("unpacked")
    run("dpkg-deb", "-x", package, folder)
    return folder


def test_its_description(package: Path) -> None:
    """The libraries are those that the modules are linked with; Python is that of the modules."""
    minor = sys.version_info.minor
    fields = run("dpkg-deb", "-f", package)
    assert re.search(r"^Depends: libc6 \(>= [\d.]+\)", fields, re.MULTILINE)
    assert f"python3 (>= 3.{minor}), python3 (<< 3.{minor + 1})" in fields
    assert "@" not in re.sub("^Maintainer:.*$", "", fields, flags=re.MULTILINE)
    assert run("dpkg-deb", "-I", package, "conffiles").split() == [
        "/etc/bgpreflector/bgpreflector.toml"
    ]


def test_its_files(package: Path, unpacked: Path) -> None:
    """Unit, example, completions, licences and the manual; all root's."""
    documents = "usr/share/doc/bgpreflector"
    for name in (
        "etc/bgpreflector/bgpreflector.toml",
        "usr/lib/systemd/system/bgpreflector.service",
        "usr/share/bash-completion/completions/bgpreflector",
        "usr/share/man/man1/bgpreflector.1.gz",
        "usr/share/man/man1/bgpreflector-run.1.gz",
        "usr/share/man/man5/bgpreflector.toml.5.gz",
        f"{documents}/copyright",
        f"{documents}/changelog.gz",
        f"{documents}/changelog.Debian.gz",
    ):
        assert (unpacked / name).stat().st_size > 0, name
    assert list(unpacked.rglob("THIRD-PARTY-LICENSES"))
    owners = {line.split()[1] for line in run("dpkg-deb", "-c", package).splitlines()}
    assert owners == {"root/root"}
    words = [path.read_text() for path in unpacked.glob("usr/share/*/*completions*/*bgpreflector*")]
    assert len(words) == 3
    assert all("_BGPREFLECTOR_COMPLETE" in text for text in words)


def test_lintian_has_nothing_to_say(package: Path) -> None:
    """What it would say and is meant is overridden, with the reason."""
    if shutil.which("lintian") is None:
        pytest.skip("no lintian: install it (Debian: lintian) to have the package looked through")
    said = run("lintian", "--allow-root", "--display-info", "--fail-on=error,warning,info", package)
    assert not said


def test_its_maintainer(package: Path) -> None:
    """Who builds it: the project has no address that mail reaches."""
    named = f"{os.environ.get('DEBFULLNAME', 'The bgpreflector authors')} <"
    assert run("dpkg-deb", "-f", package, "Maintainer").startswith(named)


def test_its_checksums(package: Path, unpacked: Path) -> None:
    """As `dpkg --verify` needs them: of all files but the configuration."""
    sums = unpacked.with_name("sums")
    sums.write_text(run("dpkg-deb", "-I", package, "md5sums"))
    done = subprocess.run(["md5sum", "--quiet", "-c", str(sums)], cwd=unpacked, check=False)
    assert done.returncode == 0
    files = {
        str(path.relative_to(unpacked))
        for path in (unpacked / "usr").rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert {line.split(maxsplit=1)[1] for line in sums.read_text().splitlines()} == files


def test_its_program_runs(unpacked: Path) -> None:
    """From the unpacked files, with their own libraries and none of this environment's.

    Its Python is the machine's, for which here the one of the tests stands in.
    """
    home = unpacked / "usr" / "lib" / "bgpreflector"
    assert (home / "bin" / "python3").readlink() == Path("../../../bin/python3")
    link = (unpacked / "usr" / "bin" / "bgpreflector").readlink()
    assert link == Path("../lib/bgpreflector/bin/bgpreflector")
    program = home / "bin" / "bgpreflector"
    assert program.read_text().startswith("#!/usr/lib/bgpreflector/bin/python3 -I\n")
    (libraries,) = home.glob("lib/python3.*/site-packages")
    code = (
        "import sys; sys.path[:0] = [sys.argv.pop(1)]\n"
        "import bgpreflector._core, pydantic, vpp_papi, typer\n"
        "print(bgpreflector._core.__file__, pydantic.__file__, typer.__file__, file=sys.stderr)\n"
        "from bgpreflector.cli import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(libraries), "check",
         str(unpacked / "etc" / "bgpreflector" / "bgpreflector.toml")],
        check=False,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the configuration is valid" in done.stdout
    assert all(place.startswith(str(libraries)) for place in done.stderr.split())


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Programs for PATH that say what the installation asks of a machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("getent", "groupadd", "systemctl", "setpriv"):
        answer = 'echo "config said no" >&2; exit ${CONFIG_EXIT:-0}' if name == "setpriv" else ""
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/asked"\n{answer}\n')
        program.chmod(0o755)
    return tmp_path


def install(machine: Path, *arguments: str, config_exit: int) -> tuple[str, str]:
    """What postinst says and asks for, where systemd runs."""
    text = (SCRIPTS / "postinst").read_text()
    script = machine / "postinst"
    script.write_text(text.replace("/run/systemd/system", str(machine)))
    done = subprocess.run(
        ["/bin/sh", str(script), *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": f"{machine / 'bin'}:/usr/bin:/bin", "CONFIG_EXIT": str(config_exit)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr, (machine / "asked").read_text()


def test_a_new_installation_starts_nothing(machine: Path) -> None:
    """The operator looks at the configuration first."""
    said, asked = install(machine, "configure", "", config_exit=0)
    assert "systemctl enable --now bgpreflector" in said
    assert "restart" not in asked


def test_an_upgrade_restarts_what_runs(machine: Path) -> None:
    """And only that."""
    _, asked = install(machine, "configure", "0.1.0-1", config_exit=0)
    assert "systemctl try-restart bgpreflector.service" in asked
    assert f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups" in asked


def test_an_upgrade_with_an_unusable_configuration(machine: Path) -> None:
    """The former program goes on, and the installation ends well and says why."""
    said, asked = install(machine, "configure", "0.1.0-1", config_exit=3)
    assert "configuration cannot be used" in said
    assert "config said no" in said
    assert "restart" not in asked
