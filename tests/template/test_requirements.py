"""A handler's own libraries: locked by hash, installed for the function's platform, cached, the same everywhere."""

import hashlib
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from serverless_patterns import Handler, _requirements
from tests.template.stacks import a_handler, a_queue, new_stack, refusal, the, warnings

LOCK = "make it with: uv pip compile --generate-hashes requirements.in -o requirements.txt"
HERE = f"{sys.version_info.major}{sys.version_info.minor}"
LOCAL = {"serverless-patterns:local": "true"}


class Wheels:
    """A folder of wheels that stands for the package index: no test needs a network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()

    def add(self, name: str, *tags: str, content: str = "") -> None:
        """A wheel of version 1.0 for each tag, holding one module that tells its tag."""
        for tag in tags:
            with zipfile.ZipFile(self.folder / f"{name}-1.0-{tag}.whl", "w") as wheel:
                wheel.writestr(f"{name}.py", content or f"TAG = {tag!r}\n")
                wheel.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
                wheel.writestr(
                    f"{name}-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
                )
                wheel.writestr(f"{name}-1.0.dist-info/RECORD", f"{name}.py,,\n")

    def lock(self, *names: str) -> str:
        def hashes(name: str) -> str:
            found = sorted(self.folder.glob(f"{name}-*.whl"))
            return "".join(f" \\\n    --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in found)

        return "".join(f"{name}==1.0{hashes(name)}\n" for name in names)


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheels:
    wheels = Wheels(tmp_path / "wheels")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable, value in {"UV_FIND_LINKS": wheels.folder, "UV_NO_INDEX": "1", "UV_OFFLINE": "1"}.items():
        monkeypatch.setenv(variable, str(value))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels.folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return wheels


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "handlers"
    folder.mkdir()
    (folder / "orders.py").write_text("def fulfil(order): ...\n")
    return folder


def synth(code: Path, file: Path, context: dict[str, Any] | None = None, **arguments: Any) -> tuple[Path, str]:
    """The folder that becomes the function's zip, and its name in the asset store."""
    stack = Stack(App(context=context), "Shop")
    a_queue(stack, consumer=Handler(code, "orders:fulfil", requirements=file, **arguments), alarms="none")
    key = the(stack, "Lambda::Function")["Code"]["S3Key"]
    assembly = stack.node.root.synth().directory  # pyright: ignore
    return Path(assembly) / f"asset.{key.removesuffix('.zip')}", key


def content(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("aarch64", lambda_.Architecture.ARM_64), ("x86_64", lambda_.Architecture.X86_64)],
)
def test_libraries_are_those_of_the_function_s_machine_and_python(
    wheels: Wheels, code: Path, machine: str, architecture: lambda_.Architecture
) -> None:
    tags = [f"cp{v}-cp{v}-manylinux_2_17_{m}" for v in ("312", "313") for m in ("aarch64", "x86_64")]
    wheels.add("speedy", *tags)
    (code.parent / "lock.txt").write_text(wheels.lock("speedy"))
    runtime = lambda_.Runtime.PYTHON_3_13
    folder, _ = synth(code, code.parent / "lock.txt", architecture=architecture, runtime=runtime)
    assert (folder / "speedy.py").read_text() == f"TAG = 'cp313-cp313-manylinux_2_17_{machine}'\n"


def test_libraries_are_those_of_this_machine_on_the_embedded_cloud(wheels: Wheels, code: Path) -> None:
    here = f"cp{HERE}-cp{HERE}-manylinux_2_17_{platform.machine()}"
    wheels.add("speedy", here, "cp314-cp314-manylinux_2_17_aarch64")
    (code.parent / "lock.txt").write_text(wheels.lock("speedy"))
    folder, key = synth(code, code.parent / "lock.txt", LOCAL)
    assert (folder / "speedy.py").read_text() == f"TAG = {here!r}\n"
    _, elsewhere = synth(code, code.parent / "lock.txt", runtime=lambda_.Runtime.PYTHON_3_14)
    assert key != elsewhere


def test_the_zip_holds_the_code_the_libraries_and_nothing_that_a_run_left_behind(wheels: Wheels, code: Path) -> None:
    wheels.add("pure", "py3-none-any")
    (code.parent / "lock.txt").write_text(wheels.lock("pure"))
    (code / "__pycache__").mkdir()
    (code / "__pycache__/orders.cpython-311.pyc").write_bytes(b"")
    folder, _ = synth(code, code.parent / "lock.txt")
    found = {name for name in content(folder) if ".dist-info/" not in name}
    assert found == {"orders.py", "pure.py"}


def test_the_user_s_own_module_wins_over_a_library_s(wheels: Wheels, code: Path) -> None:
    wheels.add("orders", "py3-none-any")
    (code.parent / "lock.txt").write_text(wheels.lock("orders"))
    folder, _ = synth(code, code.parent / "lock.txt")
    assert (folder / "orders.py").read_text() == "def fulfil(order): ...\n"


def test_a_second_synth_installs_nothing_and_gives_the_same_asset(wheels: Wheels, code: Path) -> None:
    wheels.add("pure", "py3-none-any")
    file = code.parent / "lock.txt"
    file.write_text(wheels.lock("pure"))
    _, first = synth(code, file)
    shutil.rmtree(wheels.folder)  # an installation would fail now
    folder, second = synth(code, file)
    assert first == second
    assert "pure.py" in content(folder)


def test_an_edit_behind_a_symbolic_link_gives_another_asset(wheels: Wheels, code: Path) -> None:
    wheels.add("pure", "py3-none-any")
    file = code.parent / "lock.txt"
    file.write_text(wheels.lock("pure"))
    shared = code.parent / "shared"
    shared.mkdir()
    (shared / "prices.py").write_text("VAT = 19\n")
    (code / "shared").symlink_to(shared)
    folder, first = synth(code, file)
    assert (folder / "shared/prices.py").read_text() == "VAT = 19\n"
    (shared / "prices.py").write_text("VAT = 20\n")
    _, second = synth(code, file)
    assert first != second


def test_another_lock_or_other_code_gives_another_asset(wheels: Wheels, code: Path) -> None:
    wheels.add("pure", "py3-none-any")
    wheels.add("other", "py3-none-any")
    file = code.parent / "lock.txt"
    keys: list[str] = []
    for names in (["pure"], ["pure", "other"]):
        file.write_text(wheels.lock(*names))
        keys.append(synth(code, file)[1])
    (code / "orders.py").write_text("def fulfil(order): ...  # edited\n")
    keys.append(synth(code, file)[1])
    assert len(set(keys)) == 3


def test_where_the_code_lies_does_not_matter(wheels: Wheels, code: Path, tmp_path: Path) -> None:
    wheels.add("pure", "py3-none-any")
    (code.parent / "lock.txt").write_text(wheels.lock("pure"))
    shutil.copytree(code, tmp_path / "elsewhere")
    assert synth(code, code.parent / "lock.txt")[1] == synth(tmp_path / "elsewhere", code.parent / "lock.txt")[1]


def test_what_has_no_wheel_for_the_function_fails_with_the_installer_s_words(wheels: Wheels, code: Path) -> None:
    wheels.add("speedy", "cp313-cp313-manylinux_2_17_x86_64")
    file = code.parent / "lock.txt"
    file.write_text(wheels.lock("speedy"))
    with pytest.raises(RuntimeError, match="speedy") as failed:
        synth(code, file, runtime=lambda_.Runtime.PYTHON_3_13)
    assert str(failed.value).startswith(
        f"Shop/Fulfilment: Handler(orders:fulfil): {file} could not be installed for Python 3.13 on aarch64, "
        "wheels only:\n"
    )
    assert "SSL_CERT_FILE" in str(failed.value)


def test_a_failed_installation_is_not_kept(wheels: Wheels, code: Path) -> None:
    file = code.parent / "lock.txt"
    wheels.add("pure", "py3-none-any")
    file.write_text(wheels.lock("pure"))
    hidden = wheels.folder.rename(wheels.folder.with_name("hidden"))
    wheels.folder.mkdir()
    with pytest.raises(RuntimeError):
        synth(code, file)
    wheels.folder.rmdir()
    hidden.rename(wheels.folder)
    assert "pure.py" in content(synth(code, file)[0])


@pytest.fixture
def no_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_requirements.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(_requirements.shutil, "which", lambda _: None)


@pytest.mark.usefixtures("no_uv")
def test_pip_serves_where_there_is_no_uv() -> None:
    """What pip is told; pip itself is not in every environment."""
    target = _requirements.Target("3.13", "aarch64")
    command = _requirements._command(_requirements._uv(), Path("lock.txt"), target, Path("out"))
    assert command[1:4] == ["-m", "pip", "install"]
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps", "--no-compile", "--python-version=3.13"} <= {
        *command
    }
    platforms = [part.removeprefix("--platform=") for part in command if part.startswith("--platform=")]
    assert platforms[0] == "manylinux2014_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux_2_28_aarch64", "manylinux_2_34_aarch64"} <= {*platforms}
    assert "manylinux_2_35_aarch64" not in platforms


MARKED = "colorama==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"


@pytest.mark.usefixtures("no_uv", "wheels")
def test_pip_is_not_asked_to_judge_markers_for_another_machine(code: Path) -> None:
    file = code.parent / "lock.txt"
    file.write_text(
        f"# via shop; said here\nplain==1.0 --hash=sha256:00\n{MARKED}tomli==1.0;python_version<'3.11' --hash=sha256:00"
    )
    assert refusal(lambda: synth(code, file)) == "\n".join(
        "Shop/Fulfilment: Handler(orders:fulfil): requirements must have no environment markers where only pip can "
        f"install them, got {line!r} in {file}: pip judges them by the machine that it runs on: install uv "
        "(pip install uv), which is then used instead"
        for line in ("colorama==1.0 ; sys_platform == 'win32'", "tomli==1.0;python_version<'3.11'")
    )


@pytest.mark.usefixtures("no_uv", "wheels")
def test_pip_judges_markers_for_this_machine(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip would be told is seen in its place: it is not in every environment."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(_requirements.subprocess, "run", run)
    (code.parent / "lock.txt").write_text(MARKED)
    synth(code, code.parent / "lock.txt", LOCAL)
    assert [command[1:4] for command in commands] == [["-m", "pip", "install"]]


def test_uv_judges_markers_for_the_function_s_machine(wheels: Wheels, code: Path) -> None:
    wheels.add("pure", "py3-none-any")
    wheels.add("other", "py3-none-any")
    marked = {"pure": "platform_machine == 'aarch64'", "other": "platform_machine == 'x86_64'"}
    lock = "".join(wheels.lock(name).replace("==1.0", f"==1.0 ; {marker}") for name, marker in marked.items())
    (code.parent / "lock.txt").write_text(lock)
    for architecture, library in ((lambda_.Architecture.ARM_64, "pure.py"), (lambda_.Architecture.X86_64, "other.py")):
        folder, _ = synth(code, code.parent / "lock.txt", architecture=architecture)
        assert {name for name in content(folder) if ".dist-info/" not in name} == {"orders.py", library}


def test_commands_that_need_no_code_install_nothing(wheels: Wheels, code: Path) -> None:
    (code.parent / "lock.txt").write_text("absent==1.0 --hash=sha256:00\n")
    stack = new_stack({"aws:cdk:bundling-stacks": []})
    a_queue(stack, consumer=Handler(code, "orders:fulfil", requirements=code.parent / "lock.txt"))
    assert wheels.folder.is_dir()


def refused(file: Path) -> str:
    return refusal(lambda: a_handler(requirements=file))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    assert refused(file) == (f"Handler(orders:fulfil): requirements must be an existing file, got {file}: {LOCK}")


@pytest.mark.parametrize("line", ["requests==2.32.0", "requests", "./local-package", "https://example.org/x.whl"])
def test_a_package_without_a_hash_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(f"# a comment\n\n{line}  # via nothing\nok==1.0 \\\n    --hash=sha256:00\n")
    assert refused(file) == (
        f"Handler(orders:fulfil): requirements must lock every package by hash, got {line!r} in {file}: {LOCK}"
    )


@pytest.mark.parametrize("line", ["-r other.txt", "--constraint limits.txt", "-e ."])
def test_another_file_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(f"{line}\n")
    assert refused(file) == (
        f"Handler(orders:fulfil): requirements must name no other files, got {line!r} in {file}: "
        f"one file holds everything; {LOCK}"
    )


@pytest.mark.parametrize("name", ["aws-lambda-powertools", "AWS_Lambda.Powertools[tracer]"])
def test_bringing_its_own_powertools_is_warned_about(wheels: Wheels, code: Path, name: str) -> None:
    wheels.add("aws_lambda_powertools", "py3-none-any")
    file = code.parent / "lock.txt"
    file.write_text(wheels.lock("aws_lambda_powertools").replace("aws_lambda_powertools", name))
    stack = new_stack()
    a_queue(stack, consumer=Handler(code, "orders:fulfil", requirements=file), alarms="none")
    assert warnings(stack) == [
        f"{file} brings its own aws-lambda-powertools, which hides the one that these patterns are tested with: "
        "take it out unless you need another version, or a part that the layer leaves out"
    ]
