"""The rules of the house that import-linter cannot see: layout, names, sizes, what each file says about itself."""

import ast
import importlib.metadata
import importlib.util
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import constructs
import pytest

import serverless_patterns
from tests.sharing_out import FROM_THE_BACK, FROM_THE_FRONT, TOGETHER

ROOT = Path(__file__).parent.parent
CONSTRUCTS = ROOT / "constructs/serverless_patterns"
RUNTIME = ROOT / "lambda_src/serverless_patterns_runtime"
PACKAGES = (CONSTRUCTS, RUNTIME)
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
APPS = sorted((ROOT / "apps").rglob("*.py"))
CONTRACTS = sorted(RUNTIME.rglob("contract.py"))
# Not one of the patterns, though public.
SHARED = {
    "__init__",
    "authorizers",
    "claim_check",
    "cors",
    "data_api_sink",
    "defaults",
    "domain",
    "fan_in",
    "handler",
    "http_backend",
    "https_endpoint",
    "jwt_authorizer",
    "legacy_backend",
    "migrated_route",
    "mock_response",
    "open_search_sink",
    "route",
    "s3_items",
    "saga_approval",
    "saga_flow",
    "saga_step",
    "sql_sink",
    "throttle",
    "usage_plan",
}
# "About 200" in DESIGN; above it a concept wants its own name.
MOST_LINES = 220
DRAWERS = {"common", "constants", "core", "helper", "helpers", "lib", "misc", "shared", "util", "utils"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, `from a import b` as `a.b`; relative ones begin with a dot."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def test_constructs_is_the_package_of_the_cdk_and_our_folder_of_that_name_no_package() -> None:
    assert not (ROOT / "constructs/__init__.py").exists()
    assert "site-packages" in str(constructs.__file__)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "no docstring"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_small_enough_to_be_about_one_thing(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MOST_LINES


def test_no_module_is_a_drawer() -> None:
    everywhere = [*MODULES, *APPS, *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    names = {
        (name(path), part.strip("_")) for path in everywhere for part in path.relative_to(ROOT).with_suffix("").parts
    }
    assert {path for path, part in names if part in DRAWERS} == set()


@pytest.mark.parametrize("package", PACKAGES, ids=name)
def test_the_public_names_are_sorted_and_exist(package: Path) -> None:
    module = importlib.import_module(package.name)
    assert module.__all__ == sorted(module.__all__)
    assert [public for public in module.__all__ if not hasattr(module, public)] == []


@pytest.mark.parametrize("package", PACKAGES, ids=name)
def test_every_public_name_says_what_it_is(package: Path) -> None:
    module = importlib.import_module(package.name)
    assert [public for public in module.__all__ if not (getattr(module, public).__doc__ or "").strip()] == []


@pytest.mark.parametrize("package", PACKAGES, ids=name)
def test_a_package_is_typed(package: Path) -> None:
    assert (package / "py.typed").read_text() == ""


@pytest.mark.parametrize("path", CONTRACTS, ids=name)
def test_a_contract_imports_the_standard_library_only(path: Path) -> None:
    assert {module.split(".")[0] for module in imported(path)} <= sys.stdlib_module_names


def test_import_linter_knows_every_construct() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (independent,) = [contract["modules"] for contract in contracts if contract["type"] == "independence"]
    public = {path.stem for path in CONSTRUCTS.glob("*.py") if not path.stem.startswith("_")} - SHARED
    assert set(independent) == {f"serverless_patterns.{module}" for module in public}


@pytest.mark.parametrize("path", APPS, ids=name)
def test_an_app_imports_public_names_only(path: Path) -> None:
    ours = [module for module in imported(path) if module.startswith("serverless_patterns")]
    public = {
        f"{package}.{exported}"
        for package in (
            "serverless_patterns",
            "serverless_patterns.testing",
            "serverless_patterns_runtime",
            "serverless_patterns_runtime.testing",
        )
        if importlib.util.find_spec(package)
        for exported in importlib.import_module(package).__all__
    }
    assert [module for module in ours if module not in public] == []


@pytest.mark.parametrize("path", sorted((ROOT / "apps").rglob("handlers/*.py")), ids=name)
def test_a_business_function_knows_nothing_of_aws(path: Path) -> None:
    assert {module.split(".")[0] for module in imported(path)} & {"boto3", "botocore", "aws_cdk"} == set()


def test_every_command_and_plugin_that_we_declare_loads() -> None:
    entry_points = importlib.metadata.distribution("cdk-serverless-patterns").entry_points
    assert {point.name for point in entry_points} == {"serverless-patterns", "serverless_patterns"}
    for point in entry_points:
        assert point.load()


@pytest.mark.parametrize("beginning", [*TOGETHER, *FROM_THE_FRONT, *FROM_THE_BACK])
def test_tests_are_shared_out_by_names_that_exist(beginning: str) -> None:
    assert [path for path in (ROOT / "tests").rglob("test_*.py") if name(path).startswith(beginning)]


def test_the_layers_are_the_only_built_files_beside_the_source() -> None:
    assert {path.suffix for path in (CONSTRUCTS / "_layers").iterdir()} == {".json", ".zip"}


def test_the_public_names_are_offered_for_completion() -> None:
    assert {*serverless_patterns.__all__} <= {*dir(serverless_patterns)}
