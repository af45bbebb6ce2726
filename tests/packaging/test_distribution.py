"""What we publish: two packages in one wheel, which install and work on every Python that we name."""

import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.conftest import MINORS, run

APP = """
import aws_cdk
from aws_cdk import assertions, aws_dynamodb as dynamodb
from pathlib import Path
from serverless_patterns import Handler, LoadLeveledQueue

code = Path("handlers")
code.mkdir(exist_ok=True)
(code / "orders.py").write_text('''
from serverless_patterns_runtime import Effects, Put

def fulfil(order: dict) -> Effects:
    return Effects(writes=[Put("ORDERS", {"order_id": order["order_id"]})])
''')
app = aws_cdk.App()
stack = aws_cdk.Stack(app, "Shop")
key = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
table = dynamodb.TableV2(stack, "Orders", partition_key=key)
handler = Handler(code.absolute(), "orders:fulfil", tables={"ORDERS": table})
LoadLeveledQueue(stack, "Fulfilment", consumer=handler, max_concurrency=5)
assertions.Template.from_stack(stack).has_resource_properties(
    "AWS::Lambda::Function", {"Handler": "serverless_patterns_runtime.load_leveled_queue.handler.lambda_handler"}
)
print(aws_cdk.__file__)
"""


def test_the_versions_tested_are_those_that_the_classifiers_name(tree: Path) -> None:
    classifiers = tomllib.loads((tree / "pyproject.toml").read_text())["project"]["classifiers"]
    named = [text.rpartition(" ")[2] for text in classifiers if text.startswith("Programming Language :: Python :: 3.")]
    assert named == list(MINORS)


def test_the_wheel_holds_every_file_of_the_two_packages_the_layers_and_nothing_else(tree: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    layers = {name for name in names if name.startswith("serverless_patterns/_layers/")}
    packages = (tree / "constructs/serverless_patterns", tree / "lambda_src/serverless_patterns_runtime")
    files = {
        path.relative_to(package.parent).as_posix()
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and "_layers" not in path.parts
    }
    assert names - layers == files
    assert {"serverless_patterns/py.typed", "serverless_patterns_runtime/py.typed"} <= names
    assert "serverless_patterns/_layers/layer-source.zip" in layers


def test_the_sdist_holds_no_built_file(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        assert not [name for name in archive.getnames() if name.endswith((".pyc", ".zip")) or "__pycache__" in name]


def test_the_wheel_built_from_the_sdist_is_the_wheel_built_from_the_tree(wheel: Path, wheel_of_sdist: Path) -> None:
    assert wheel_of_sdist.name == wheel.name
    with zipfile.ZipFile(wheel) as ours, zipfile.ZipFile(wheel_of_sdist) as theirs:
        assert [name for name in ours.namelist() if ours.read(name) != theirs.read(name)] == []
    assert wheel_of_sdist.read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("version", MINORS)
def test_the_runtime_imports_with_nothing_else_installed(
    version: str, bare_environment: Callable[[str], Path], tmp_path: Path
) -> None:
    program = "import serverless_patterns_runtime, serverless_patterns_runtime.testing as t; print(t.__file__)"
    assert "site-packages" in run(bare_environment(version), "-c", program, cwd=tmp_path)


@pytest.mark.parametrize("version", MINORS)
def test_an_app_in_an_empty_folder_synthesises_with_the_wheel(
    version: str, user_environment: Callable[[str], Path], tmp_path: Path
) -> None:
    python = user_environment(version)
    (tmp_path / "app.py").write_text(APP)
    assert f"python{version}/site-packages" in run(python, "app.py", cwd=tmp_path, CDK_VALIDATION="false")


def test_an_app_synthesises_with_the_oldest_cdk_that_we_name(oldest_environment: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    assert "oldest-cdk" in run(oldest_environment, "app.py", cwd=tmp_path, CDK_VALIDATION="false")
