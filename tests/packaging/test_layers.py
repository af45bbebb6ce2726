"""The Lambda layers: small, the same from any build, and never compiled at a cold start."""

import _imp
import ast
import json
import marshal
import re
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType

import pytest

import interpreters
import layers as layer_build
from serverless_patterns._layer_age import check_current
from tests.packaging.conftest import MINORS, ROOT, run

LARGEST_LAYER_BYTES = 1_500_000

# Prints the files below the folder in argv[1] that had to be compiled while the module in argv[2] was imported.
IMPORT = """
import importlib, sys
compiled = []
def audit(event, arguments):
    if event == "compile" and str(arguments[1]).startswith(sys.argv[1]):
        compiled.append(arguments[1])
sys.addaudithook(audit)
sys.path.insert(0, sys.argv[1])
for module in sys.argv[2:]:
    assert importlib.import_module(module).__file__.startswith(sys.argv[1]), module
print(*compiled, sep="\\n", end="")
"""
POWERTOOLS = "aws_lambda_powertools"
USED_OF_POWERTOOLS = [
    f"{POWERTOOLS}.{module}"
    for module in (
        "logging",
        "metrics",
        "utilities.parameters",
    )
]
LAMBDA_HANDLER = "serverless_patterns_runtime.load_leveled_queue.handler"
OTHER_HANDLERS = [
    f"serverless_patterns_runtime.{pattern}.handler"
    for pattern in ("api_proxy", "lambda_authorizer", "saga_state_machine")
]
ENCODER = ("python/aws_lambda_powertools/shared/functions.py", "aws_lambda_powertools.event_handler.openapi.compat")
"""Of pydantic's models, when one is given to Powertools' own JSON encoder: loggers and metrics have another."""
WITHOUT_BYTECODE = [
    f"{POWERTOOLS}.logging.formatters.datadog",
    "serverless_patterns_runtime.testing",
]


def built(layers: Path) -> dict[str, Path]:
    """The layers with bytecode, by version of Python."""
    return {path.stem.removeprefix("layer-python"): path for path in sorted(layers.glob("layer-python*.zip"))}


def source_of(bytecode: str) -> str:
    """`a/b.py` for `a/__pycache__/b.cpython-311.pyc`, and for `a/b.pyc`."""
    return re.sub(r"(__pycache__/)?(\w+?)(\.cpython-3\d+)?\.pyc$", r"\2.py", bytecode)


def test_there_is_a_layer_for_every_interpreter_found_and_one_for_all_others(layers: Path) -> None:
    found = {f"3.{i.minor}": f"3.{i.minor}.{i.micro}" for i in interpreters.find_interpreters()}
    assert json.loads((layers / "manifest.json").read_text())["interpreters"] == found
    assert set(built(layers)) == set(found) >= {f"3.{sys.version_info.minor}"}
    assert (layers / "layer-source.zip").is_file()


def test_no_layer_is_larger_than_a_megabyte_and_a_half(layers: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in layers.glob("*.zip")}
    assert {name: size for name, size in sizes.items() if size > LARGEST_LAYER_BYTES} == {}


def test_builds_in_two_folders_give_the_same_bytes(layers: Path, tree: Path, tmp_path: Path) -> None:
    other = shutil.copytree(tree, tmp_path / "a folder with another name")
    for path in layer_build.build(other):
        assert path.read_bytes() == (layers / path.name).read_bytes(), path.name


def test_bytecode_is_of_the_kind_that_python_never_checks_and_belongs_to_its_source(layers: Path) -> None:
    sources = layer_build.layer_source(ROOT)
    for path in built(layers).values():
        with zipfile.ZipFile(path) as archive:
            bytecode = [name for name in archive.namelist() if name.endswith(".pyc")]
            assert len(bytecode) > 150
            for name in bytecode:
                header, source = archive.read(name)[:16], sources[source_of(name)]
                assert int.from_bytes(header[4:8], "little") == 1, f"{name}: not unchecked-hash"
                # importlib.util.source_hash of the interpreter that compiled it, whose magic number is its key
                of_source = _imp.source_hash(int.from_bytes(header[:4], "little"), source)
                assert header[8:16] == of_source, f"{name}: of another source"


def test_bytecode_names_the_folder_where_lambda_unpacks_it(layers: Path) -> None:
    tag = sys.implementation.cache_tag
    with zipfile.ZipFile(built(layers)[f"3.{sys.version_info.minor}"]) as archive:
        code = marshal.loads(archive.read(f"python/serverless_patterns_runtime/__pycache__/errors.{tag}.pyc")[16:])
    assert code.co_filename == "/opt/python/serverless_patterns_runtime/errors.py"


def test_bytecode_says_every_instructions_line_and_for_the_sizes_sake_no_column(layers: Path) -> None:
    places: set[tuple[int | None, ...]] = set()
    with zipfile.ZipFile(built(layers)[f"3.{sys.version_info.minor}"]) as archive:
        for name in archive.namelist():
            if name.endswith(".pyc"):
                module = marshal.loads(archive.read(name)[16:])
                places.update(place for code in codes(module) for place in code.co_positions())
    assert len({line for line, *_ in places}) > 1000
    assert {tuple(columns) for _, _, *columns in places} == {(None, None)}


def codes(code: CodeType) -> Iterator[CodeType]:
    """A module's, and those of all that is defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def test_of_a_module_of_ours_there_is_the_source_too_and_of_others_one_of_both(layers: Path) -> None:
    sources = {name for name in layer_build.layer_source(ROOT) if name.endswith(".py")}
    for path in built(layers).values():
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
        assert {name for name in sources if name.startswith(layer_build.OURS)} <= names
        others = {name for name in sources if not name.startswith(layer_build.OURS)}
        assert [name for name in others if (name in names) == (f"{name}c" in names)] == []
        assert [name for name in names if "__pycache__" in name and not name.startswith(layer_build.OURS)] == []


def test_every_module_has_bytecode_but_those_that_need_what_the_layer_lacks(layers: Path) -> None:
    for path in built(layers).values():
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
        sources = {name for name in names if name.endswith(".py")}
        without = sources - {source_of(name) for name in names if name.endswith(".pyc")}
        assert without, "the list of modules without bytecode is out of use"
        assert {name for name in without if not name.startswith(layer_build.SOURCE_ONLY)} == set()


def test_modules_of_ours_without_bytecode_are_those_that_are_imported_by_few() -> None:
    runtime = "python/serverless_patterns_runtime/"
    without = {name.rstrip("./") for name in layer_build.SOURCE_ONLY if name.startswith(runtime)}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (for_tests, optional) = (contract for contract in contracts if "no bytecode" in contract["name"])
    protected = [*for_tests["protected_modules"], *optional["protected_modules"]]
    assert {f"python/{module.replace('.', '/')}" for module in protected} == without
    assert for_tests["allowed_importers"] == ["serverless_patterns_runtime.testing"]


def test_a_layer_holds_source_bytecode_and_licences_and_nothing_else(layers: Path) -> None:
    for path in layers.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        names = [entry.filename for entry in entries]
        assert names == sorted(names)
        assert {name.split("/")[1] for name in names if name.startswith("python/")} <= {
            "aws_lambda_powertools",
            "jmespath",
            "serverless_patterns_runtime",
            "typing_extensions.py",
            "typing_extensions.pyc",
        }
        assert {name for name in names if not name.startswith("python/")} == {
            f"licenses/{name}/LICENSE" for name in ("cdk-serverless-patterns", *layer_build.LIBRARIES)
        }
        assert {Path(name).suffix for name in names} - {".py", ".pyc", ".typed", ""} == set()
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_nothing_in_a_layer_imports_what_was_left_out_of_it() -> None:
    sources = {name: text for name, text in layer_build.layer_source(ROOT).items() if name.endswith(".py")}
    modules = {re.sub(r"(/__init__)?\.py$", "", name).removeprefix("python/").replace("/", ".") for name in sources}
    imported = {
        (name, module)
        for name, text in sources.items()
        for module in imports(ast.parse(text))
        if module.startswith(f"{POWERTOOLS}.")
    }
    assert len(imported) > 50
    assert {(name, module) for name, module in imported if module not in modules} == {ENCODER}


def imports(node: ast.AST) -> Iterator[str]:
    """Of a module, wherever they stand, but for type checkers alone."""
    match node:
        case ast.If(test=ast.Name("TYPE_CHECKING")):
            return
        case ast.Import(names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module, _, 0):
            yield str(module)
        case _:
            for part in ast.iter_child_nodes(node):
                yield from imports(part)


@pytest.mark.parametrize("version", MINORS)
def test_importing_the_consumer_compiles_nothing(
    version: str, layers: Path, user_environment: Callable[[str], Path], tmp_path: Path
) -> None:
    python = user_environment(version)
    with zipfile.ZipFile(built(layers)[version]) as archive:
        archive.extractall(tmp_path)
    assert compiled(python, tmp_path, LAMBDA_HANDLER) == []
    assert compiled(python, tmp_path, *OTHER_HANDLERS) == []
    assert compiled(python, tmp_path, *USED_OF_POWERTOOLS) == []


@pytest.mark.parametrize("module", WITHOUT_BYTECODE)
def test_what_has_no_bytecode_can_be_imported_all_the_same(
    module: str, layers: Path, user_environment: Callable[[str], Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(built(layers)["3.11"]) as archive:
        archive.extractall(tmp_path)
    assert compiled(user_environment("3.11"), tmp_path, module) != []


def test_importing_the_consumer_from_the_source_layer_compiles_so_the_count_can_see(
    layers: Path, user_environment: Callable[[str], Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(layers / "layer-source.zip") as archive:
        archive.extractall(tmp_path)
    assert len(compiled(user_environment("3.11"), tmp_path, LAMBDA_HANDLER)) > 20


def compiled(python: Path, layer: Path, *modules: str) -> list[str]:
    """Files of the unpacked layer that importing the modules compiles; like Lambda's disk, it is not written to."""
    region = {"AWS_DEFAULT_REGION": "us-east-1", "PYTHONDONTWRITEBYTECODE": "1"}
    return run(python, "-c", IMPORT, layer / "python", *modules, cwd=layer, **region).splitlines()


def test_a_library_of_another_version_than_pinned_stops_the_build(tree: Path, tmp_path: Path) -> None:
    other = shutil.copytree(tree, tmp_path / "tree")
    project = other / "pyproject.toml"
    project.write_text(re.sub("aws-lambda-powertools==[0-9.]+", "aws-lambda-powertools==3.0.0", project.read_text()))
    with pytest.raises(RuntimeError, match=r"aws-lambda-powertools \S+ is installed, but .* pin 3\.0\.0: .*make setup"):
        layer_build.build(other)


def test_layers_are_stale_as_soon_as_the_runtime_changes_and_current_after_a_build(tree: Path, tmp_path: Path) -> None:
    other = shutil.copytree(tree, tmp_path / "tree", ignore=shutil.ignore_patterns("_layers"))
    assert not layer_build.is_current(other)
    layer_build.build(other)
    assert layer_build.is_current(other)
    (other / layer_build.RUNTIME / "errors.py").write_text("changed = True\n")
    assert not layer_build.is_current(other)


def test_synth_refuses_a_layer_that_is_absent_or_of_another_runtime_than_the_installed_one(tmp_path: Path) -> None:
    source = layer_build.layer_source(ROOT)
    for folder, files in {
        "same": source,
        "edited": source | {"python/serverless_patterns_runtime/errors.py": b"changed = True\n"},
        "more": source | {"python/serverless_patterns_runtime/new.py": b""},
        "untyped": {name: content for name, content in source.items() if not name.endswith("runtime/py.typed")},
    }.items():
        layer_build.write_zip(tmp_path / folder, files)
    check_current(tmp_path / "same")
    for stale in ("edited", "more", "untyped", "absent"):
        with pytest.raises(RuntimeError) as refused:
            check_current(tmp_path / stale)
        assert str(refused.value) == (
            f"{tmp_path / stale} does not hold the runtime that is in {ROOT / layer_build.RUNTIME}: run `make setup` "
            "in the checkout of serverless_patterns, or install cdk-serverless-patterns anew"
        )


def test_the_libraries_in_the_layer_are_those_of_the_lock() -> None:
    locked = dict(re.findall(r"^(\S+)==(\S+)", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE))
    assert layer_build.pins(ROOT) == {name: locked[name] for name in layer_build.LIBRARIES}
