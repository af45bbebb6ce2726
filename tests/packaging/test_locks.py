"""What the set-up installs is locked by hash, and nothing in the repository is tied to one machine or registry."""

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.conftest import ROOT, run

PYTHON_LOCKS = sorted(run("git", "ls-files", "*.lock").split())
# In two halves, so that this file does not name them itself.
REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "npm" + "js.com")
MACHINE_PATHS = re.compile(r"""(?:^|[\s"'=(`:])/(?:root|work|Users|home/\w+)/|[\s"'=(`:]/tm[p]/\w""", re.MULTILINE)


def test_the_tools_the_embedded_cloud_and_the_scanner_are_locked() -> None:
    assert set(PYTHON_LOCKS) >= {
        "constructs/serverless_patterns/testing/environments/emulator.lock",
        "requirements-dev.lock",
        "tests/scanners/checkov.lock",
    }


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_every_locked_package_has_one_version_for_a_platform_and_hashes(lock: str) -> None:
    requirements = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE))
    assert requirements, "an empty lock would prove nothing"
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+==[^ ]+ ", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


@pytest.mark.parametrize("lock", [*PYTHON_LOCKS, "package-lock.json"])
def test_no_lock_names_a_url(lock: str) -> None:
    assert re.findall(r"https?:|git\+|file:", (ROOT / lock).read_text()) == []


def test_every_npm_package_has_its_hash_and_is_pinned_to_one_version() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert all(package["integrity"].startswith("sha512-") for name, package in packages.items() if name)
    asked = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert packages[""]["devDependencies"] == asked
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked


def test_the_python_lock_holds_what_the_project_asks_for() -> None:
    locked = dict(re.findall(r"^(\S+)==(\S+)", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["dependency-groups"]["dev"], *project["project"]["dependencies"]]
    asked += [text for extra in project["project"]["optional-dependencies"].values() for text in extra]
    requirements = [Requirement(text) for text in [*asked, *project["build-system"]["requires"]]]
    assert [str(r) for r in requirements if not r.specifier.contains(locked[canonicalize_name(r.name)])] == []


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found: list[str] = []
    for name in run("git", "ls-files", "-z").split("\0"):
        if not name or not (ROOT / name).is_file():
            continue
        text = (ROOT / name).read_bytes().decode(errors="replace")
        found += [f"{name}: {host}" for host in REGISTRIES if host in text]
        found += [f"{name}: {match}" for match in MACHINE_PATHS.findall(text)]
    assert found == []
