"""Every Python example in the README and in `docs/` runs, top to bottom, in an empty folder; every link leads on.

An argument table has a column `example`: each of its cells runs too. A picture is that of a saga of its page.
"""

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from aws_cdk import Stack
from aws_cdk.aws_stepfunctions import CfnStateMachine

from serverless_patterns import (
    ApiProxy,
    ClaimCheck,
    Cors,
    CqrsTable,
    ExternalKey,
    FanIn,
    FanOutTopic,
    HttpBackend,
    HttpsEndpoint,
    LegacyBackend,
    MigratedRoute,
    MockResponse,
    ParallelMap,
    Retry,
    Rollback,
    Route,
    S3Items,
    SagaApproval,
    SagaChoice,
    SagaParallel,
    SagaStateMachine,
    SagaStep,
    SagaWait,
    Shadow,
    Sticky,
    StranglerGateway,
    Throttle,
)
from tests.documented import PAGES, ROOT, code, examples, write_files

SHOWN = ("handlers", "shop")
"""Modules and packages that the pages show."""

_PICTURE = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
_STATES = re.compile(r"```json\n(\{\n  \"\w+\": \{\n    \"Type\".*?)```", re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>[^)#:]+)(?:#[^)]*)?\)")


# An example of a table is some arguments of an API: it is defined with them.
_API = """
_given = dict({})
_rest = dict(routes=[Route("GET /health", MockResponse())], binary_media_types=["image/png"])
_rest |= {{}} if "authorizer" in _given else dict(public=True)
ApiProxy(Stack(app, f"Example{{number}}"), "Api", **(_rest | _given))
"""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with nothing of the reference app in sight: it has `handlers` too."""
    monkeypatch.chdir(tmp_path)
    elsewhere = [entry for entry in sys.path if Path(entry) != ROOT / "apps/shop"]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *elsewhere])
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in SHOWN}
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in SHOWN]:
        del sys.modules[name]
    sys.modules.update(hidden)


@pytest.mark.parametrize("page", [page for page in PAGES if code(page)], ids=name_of)
def test_the_examples_of_a_page_run(page: Path, empty_folder: Path) -> None:
    write_files(page, empty_folder)
    namespace = {"__name__": "example", "__file__": str(empty_folder / "app.py")}
    for block in code(page):
        exec(compile(block, str(page), "exec"), namespace)
    for number, example in enumerate(examples(page)):
        arguments = f"routes=[{example}]" if example.startswith("Route(") else example
        namespace["number"] = number
        exec(compile(_API.format(arguments), f"{page}: {example}", "exec"), namespace)
    sagas = [value for value in namespace.values() if isinstance(value, SagaStateMachine)]
    assert set(_PICTURE.findall(page.read_text())) <= {saga.diagram() for saga in sagas}, "a picture of no example"
    for shown in _STATES.findall(page.read_text()):
        assert any(json.loads(shown).items() <= states(saga).items() for saga in sagas), "states of no example"


@pytest.mark.parametrize("page", [page for page in PAGES if "= App()" in "".join(code(page))], ids=name_of)
def test_the_app_of_a_page_is_synthesised(page: Path) -> None:
    assert "app.synth()" in "".join(code(page))


def states(saga: SagaStateMachine) -> dict[str, Any]:
    """Its outermost states; for each, what it calls is named as on the page."""
    resource = cast(CfnStateMachine, saga.state_machine.node.default_child)
    _, pieces = Stack.of(saga).resolve(resource.definition_string)["Fn::Join"]
    found = json.loads("".join(piece if isinstance(piece, str) else "resource" for piece in pieces))["States"]
    return {name: state | {"Resource": f"{name}'s function"} for name, state in found.items()}


DESCRIBED = {
    "api_proxy": [ApiProxy, Cors, HttpBackend, MockResponse, Route, Throttle],
    "cqrs_table": [CqrsTable],
    "fan_out_topic": [ClaimCheck, FanIn, FanOutTopic, HttpsEndpoint],
    "parallel_map": [ParallelMap, S3Items],
    "saga_state_machine": [
        ExternalKey,
        Retry,
        SagaApproval,
        SagaChoice,
        SagaParallel,
        SagaStateMachine,
        SagaStep,
        SagaWait,
    ],
    "strangler_gateway": [LegacyBackend, MigratedRoute, Rollback, Shadow, Sticky, StranglerGateway],
}


@pytest.mark.parametrize(("page", "described"), [(page, one) for page, all in DESCRIBED.items() for one in all])
def test_the_page_names_every_argument(page: str, described: type) -> None:
    said = " ".join(re.findall(r"`([^`\n]+)`", (ROOT / f"docs/patterns/{page}.md").read_text()))
    arguments = {*inspect.signature(described.__init__).parameters} - {"self", "scope", "id", "route"}
    assert {name for name in arguments if not re.search(rf"\b{name}\b", said)} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = _LINK.finditer(page.read_text())
    broken = [link["target"] for link in links if not (page.parent / link["target"]).exists()]
    assert not broken, f"{page.name} links to what does not exist: {broken}"
