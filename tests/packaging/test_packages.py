"""The Debian package and the RPM: built, looked into, unpacked; the program runs from there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lab.command import ROOT, run_tool

SCRIPTS = ROOT / "packaging" / "package"
CONFIG = "etc/bgpreflector/bgpreflector.toml"
MINORS = (11, 12, 13, 14)
NOBODY = 65534

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, native_wheel: Path) -> Path:
    """With both, built as `make packages` builds them."""
    built = tmp_path_factory.mktemp("packages")
    run_tool(ROOT / "scripts" / "build_packages.sh", built, native_wheel)
    return built


@pytest.fixture(scope="module")
def deb(folder: Path) -> Path:
    """The Debian package."""
    _need("dpkg-deb", "dpkg")
    (built,) = folder.glob("bgpreflector_*.deb")
    return built


@pytest.fixture(scope="module")
def rpm(folder: Path) -> Path:
    """The RPM."""
    _need("rpm", "rpm")
    (built,) = folder.glob("bgpreflector-*.rpm")
    return built


def _need(program: str, package: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}: install {package} to look into the package")


@pytest.fixture(scope="module")
def unpacked(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Debian package puts into the file system."""
    folder = tmp_path_factory.mktemp("unpacked")
    run_tool("dpkg-deb", "-x", deb, folder)
    return folder


def test_what_the_debian_package_says_of_itself(deb: Path) -> None:
    fields = run_tool("dpkg-deb", "-f", deb)
    assert re.search(r"^Depends: libc6 \(>= [\d.]+\), libgcc-s1, passwd, ", fields, re.MULTILINE)
    assert "python3 (>= 3.11), python3 (<< 3.15)" in fields
    assert "$" not in fields
    assert run_tool("dpkg-deb", "-I", deb, "conffiles").split() == [f"/{CONFIG}"]


def test_what_the_rpm_says_of_itself(rpm: Path) -> None:
    needs = run_tool("rpm", "-qp", "--requires", rpm).splitlines()
    assert {"python3 >= 3.11", "python3 < 3.15"} <= set(needs)
    assert any(re.fullmatch(r"glibc >= [\d.]+", one) for one in needs)
    assert run_tool("rpm", "-qp", "--configfiles", rpm).split() == [f"/{CONFIG}"]
    assert "$" not in run_tool("rpm", "-qpi", rpm)


def test_maintainer_and_licence_are_named(deb: Path, rpm: Path) -> None:
    """As the wheel's metadata has it; or who builds a package of his own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (maintainer,) = project["maintainers"]
    named = f"{maintainer['name']} <{maintainer['email']}>"
    if "DEBFULLNAME" in os.environ:
        named = f"{os.environ['DEBFULLNAME']} <{os.environ['DEBEMAIL']}>"
    homepage = project["urls"]["Homepage"]
    fields = run_tool("dpkg-deb", "-f", deb, "Maintainer", "Homepage").splitlines()
    assert fields == [f"Maintainer: {named}", f"Homepage: {homepage}"]
    assert (
        run_tool("rpm", "-qp", "--queryformat", "%{PACKAGER}\n%{URL}", rpm)
        == f"{named}\n{homepage}"
    )


def test_its_files(deb: Path, unpacked: Path) -> None:
    """Unit, example, completions, licences and the manual; all root's."""
    documents = "usr/share/doc/bgpreflector"
    for name in (
        CONFIG,
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
    owners = {line.split()[1] for line in run_tool("dpkg-deb", "-c", deb).splitlines()}
    assert owners == {"root/root"}
    words = [path.read_text() for path in unpacked.glob("usr/share/*/*completions*/*bgpreflector*")]
    assert len(words) == 3
    assert all("_BGPREFLECTOR_COMPLETE" in text for text in words)


def test_the_rpm_has_the_same_files(rpm: Path, unpacked: Path) -> None:
    """But for what belongs to one of the two systems."""
    in_rpm = {
        line.split()[0].lstrip("/")
        for line in run_tool(
            "rpm", "-qp", "--queryformat", "[%{FILENAMES} %{FILEMODES:perms}\n]", rpm
        ).splitlines()
        if not line.split()[1].startswith("d")
    }
    in_deb = {
        str(path.relative_to(unpacked))
        for path in unpacked.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    assert {name for name in in_rpm ^ in_deb if not name.startswith("usr/share/doc/")} == {
        "usr/share/lintian/overrides/bgpreflector",
        "usr/share/zsh/site-functions/_bgpreflector",
        "usr/share/zsh/vendor-completions/_bgpreflector",
    }


def test_lintian_has_nothing_to_say(deb: Path) -> None:
    """What it would say and is meant is overridden, with the reason."""
    _need("lintian", "lintian")
    said = run_tool(
        "lintian", "--allow-root", "--display-info", "--fail-on=error,warning,info", deb
    )
    assert not said


def test_rpmlint_has_nothing_to_say(rpm: Path) -> None:
    """Likewise."""
    _need("rpmlint", "rpmlint")
    said = run_tool("rpmlint", "--config", SCRIPTS / "rpmlint.toml", rpm)
    assert "1 packages and 0 specfiles checked; 0 errors, 0 warnings" in said


def test_its_checksums(deb: Path, unpacked: Path) -> None:
    """As `dpkg --verify` needs them: of all files but the configuration."""
    sums = unpacked.with_name("sums")
    sums.write_text(run_tool("dpkg-deb", "-I", deb, "md5sums"))
    run_tool("md5sum", "--quiet", "-c", sums, cwd=unpacked)
    files = {
        str(path.relative_to(unpacked))
        for path in (unpacked / "usr").rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert {line.split(maxsplit=1)[1] for line in sums.read_text().splitlines()} - {CONFIG} == files


@pytest.mark.parametrize("minor", MINORS)
def test_its_libraries_are_for_every_python(unpacked: Path, minor: int) -> None:
    """Each compiled one for each minor version, and in its folder in the environment."""
    home = unpacked / "usr" / "lib" / "bgpreflector"
    folder = home / "lib" / f"python3.{minor}" / "site-packages"
    assert folder.readlink() == Path("../../site-packages")
    compiled: dict[Path, set[str]] = {}
    for path in (home / "site-packages").rglob("*.so"):
        name, _, tag = path.name.partition(".")
        compiled.setdefault(path.parent / name, set()).add(tag)
    assert len(compiled) >= 3
    for module, tags in compiled.items():
        assert {"abi3.so"} == tags or any(tag.startswith(f"cpython-3{minor}") for tag in tags), (
            module
        )


def test_its_program_runs(unpacked: Path, tmp_path: Path) -> None:
    """From the unpacked files, with their own libraries and none of this environment's."""
    home = unpacked / "usr" / "lib" / "bgpreflector"
    assert (home / "bin" / "python3").readlink() == Path("../../../bin/python3")
    link = (unpacked / "usr" / "bin" / "bgpreflector").readlink()
    assert link == Path("../lib/bgpreflector/bin/bgpreflector")
    program = home / "bin" / "bgpreflector"
    assert program.read_text().startswith("#!/usr/lib/bgpreflector/bin/python3 -I\n")
    # Its Python is the machine's, for which here the one of the tests stands in.
    moved = tmp_path / "home"
    shutil.copytree(home, moved, symlinks=True)
    (moved / "bin" / "python3").unlink()
    python = Path(sys.executable).resolve()
    (moved / "bin" / "python3").symlink_to(python)
    description = moved / "pyvenv.cfg"
    description.write_text(description.read_text().replace("/usr/bin", str(python.parent)))
    code = "import bgpreflector._core as a, pydantic as b, yaml as c; print(a, b, c, sep='\\n')"
    loaded = run_tool(moved / "bin" / "python3", "-I", "-c", code).splitlines()
    assert len(loaded) == 3
    assert all(str(moved) in folder for folder in loaded)
    said = run_tool(moved / "bin" / "python3", "-I", moved / "bin" / "bgpreflector", "check",
               unpacked / CONFIG)  # fmt: skip
    assert "the configuration is valid" in said


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Programs for PATH that say what the installation asks of a machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("getent", "groupadd", "python3", "systemctl", "setpriv"):
        answer = 'echo "config said no" >&2; exit ${CONFIG_EXIT:-0}' if name == "setpriv" else ""
        program = folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/asked"\n{answer}\n')
        program.chmod(0o755)
    return tmp_path


def install(machine: Path, *arguments: str, config_exit: int) -> tuple[str, str]:
    """What after-install says and asks for, where systemd runs."""
    python = machine / "home" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.symlink_to(machine / "bin" / "python3")
    text = (SCRIPTS / "after-install").read_text()
    script = machine / "after-install"
    script.write_text(
        text.replace("/run/systemd/system", str(machine)).replace(
            "/usr/lib/bgpreflector", str(machine / "home")
        )
    )
    done = subprocess.run(
        ["/bin/sh", str(script), *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": f"{machine / 'bin'}:/usr/bin:/bin", "CONFIG_EXIT": str(config_exit)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr, (machine / "asked").read_text()


NEW = pytest.mark.parametrize("step", [("configure", ""), ("1",)], ids=["dpkg", "rpm"])
UPGRADE = pytest.mark.parametrize("step", [("configure", "0.1.0-1"), ("2",)], ids=["dpkg", "rpm"])
"""What the package's manager tells the script."""


@NEW
def test_a_new_installation_starts_nothing(machine: Path, step: tuple[str, ...]) -> None:
    """The operator looks at the configuration first."""
    said, asked = install(machine, *step, config_exit=0)
    assert f"python3 -I -m compileall -q {machine}/home/site-packages" in asked
    assert "systemctl enable --now bgpreflector" in said
    assert "restart" not in asked


@UPGRADE
def test_an_upgrade_restarts_what_runs(machine: Path, step: tuple[str, ...]) -> None:
    """And only that."""
    _, asked = install(machine, *step, config_exit=0)
    assert "systemctl try-restart bgpreflector.service" in asked
    assert f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups" in asked


@UPGRADE
def test_an_upgrade_with_an_unusable_configuration(machine: Path, step: tuple[str, ...]) -> None:
    """The former program goes on, and the installation ends well and says why."""
    said, asked = install(machine, *step, config_exit=3)
    assert "configuration cannot be used" in said
    assert "config said no" in said
    assert "restart" not in asked
