"""The emulator's environment: installed once, from the lock, with one clear line when that cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serverless_patterns.testing import EnvironmentNotReady, environments

COMMAND = [sys.executable, "-m", "serverless_patterns.testing.environments"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SERVERLESS_PATTERNS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_environment_holds_what_the_lock_says_and_nothing_else() -> None:
    listing = (
        "from importlib.metadata import distributions as d; print(*(f'{x.name}=={x.version}'.lower() for x in d()))"
    )
    found = subprocess.check_output([environments.emulator_python(), "-I", "-c", listing], text=True).split()
    locked = [line.split(" ")[0] for line in environments.LOCK.read_text().splitlines() if "==" in line]
    assert sorted(name.replace("_", "-") for name in found) == sorted(locked)


def test_it_runs_the_interpreter_that_runs_the_tests() -> None:
    version = subprocess.check_output(
        [environments.emulator_python(), "-c", "import sys; print(sys.version)"], text=True
    )
    assert version.rstrip("\n") == sys.version


def test_what_is_installed_is_not_installed_again() -> None:
    said: list[str] = []
    assert environments.emulator_python() == environments.emulator_python(said.append)
    assert said == []


def test_another_lock_is_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = environments._identity()
    lock = tmp_path / "emulator.lock"
    lock.write_text(environments.LOCK.read_text().replace("boto3==1", "boto3==2"))
    monkeypatch.setattr(environments, "LOCK", lock)
    assert environments._identity() != before


def test_no_connection_is_one_clear_line_and_leaves_no_half_environment(cache: Path) -> None:
    offline = {
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
        "UV_CACHE_DIR": str(cache.parent / "uv"),
        "UV_HTTP_RETRIES": "0",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    run = subprocess.run(COMMAND, env=kept | offline, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("embedded cloud: the emulator is not installed yet and no package registry answers (")
    assert line.endswith(
        "connect once and run `python -m serverless_patterns.testing.environments` (with a mirror: UV_DEFAULT_INDEX)"
    )
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_one_clear_line(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(EnvironmentNotReady) as caught:
        environments.emulator_python()
    assert str(caught.value) == (
        f"cannot write {cache} (File exists): make it writable, or name another folder in SERVERLESS_PATTERNS_CACHE"
    )


@pytest.mark.usefixtures("cache")
def test_a_missing_installer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EnvironmentNotReady, match=r"^uv is missing: pip install 'cdk-serverless-patterns\[local\]'$"):
        environments.emulator_python()


def test_the_command_shows_its_steps_and_installs(cache: Path) -> None:
    run = subprocess.run(COMMAND, capture_output=True, text=True, timeout=300, check=True)
    first, *steps, last = run.stdout.splitlines()
    assert first.startswith(f"embedded cloud: installing the emulator ({environments.emulator_version()}) in {cache}")
    assert any("Installed" in step for step in steps)
    (made,) = cache.iterdir()
    assert last == f"embedded cloud: ready ({made / 'bin/python'})"
    subprocess.run([made / "bin/python", "-I", "-c", "import ministack.app, boto3"], check=True)


def test_a_faster_process_wins_and_both_are_ready(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = cache / environments._identity()

    def install(_progress: object, *command: object) -> None:
        if "venv" in command:
            Path(str(command[-1])).mkdir(parents=True)
            (place / "bin").mkdir(parents=True)
            (place / "bin/python").touch()

    monkeypatch.setattr(environments, "_install", install)
    assert environments.emulator_python() == place / "bin/python"
    assert [entry.name for entry in cache.iterdir()] == [place.name]
