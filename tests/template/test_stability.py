"""The same input gives the same template; what holds data keeps its logical id; flags change nothing that matters."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from serverless_patterns import Handler
from tests.template.stacks import HANDLERS, a_handler, a_queue, a_table, new_stack

FLAGS = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]

# Renaming one of these deletes messages or claims of everybody who updates: it needs a major version.
STATEFUL = {
    "FulfilmentClaims855F61FA": "AWS::DynamoDB::Table",
    "FulfilmentDeadLetterQueue1A3B608F": "AWS::SQS::Queue",
    "FulfilmentQueue26A1FA60": "AWS::SQS::Queue",
}


def resources_of(stack: Stack) -> dict[str, Any]:
    return Template.from_stack(stack).to_json()["Resources"]


def an_ordinary_stack(context: dict[str, Any] | None = None) -> Stack:
    stack = new_stack(context)
    a_queue(stack, consumer=a_handler(tables={"ORDERS": a_table(stack)}), idempotency_key="order_id")
    return stack


@pytest.mark.parametrize("context", [{}, FLAGS], ids=["no flags", "all flags"])
def test_what_holds_data_keeps_its_logical_id(context: dict[str, Any]) -> None:
    found = resources_of(an_ordinary_stack(context))
    holding = {id: it["Type"] for id, it in found.items() if it["Type"] in STATEFUL.values() and "Fulfilment" in id}
    assert holding == STATEFUL


def test_the_name_of_the_queue_is_frozen_too() -> None:
    assert resources_of(an_ordinary_stack())["FulfilmentQueue26A1FA60"]["Properties"]["QueueName"] == (
        "Shop-Fulfilment-3BE70DE3"
    )


def test_feature_flags_change_no_resource_of_ours() -> None:
    without, with_flags = (masked(an_ordinary_stack(context)) for context in ({}, FLAGS))
    assert with_flags == without


def test_the_order_of_definition_changes_nothing() -> None:
    first, second = new_stack(), new_stack()
    tables = {"A1": "Orders", "B1": "Stock"}
    for stack, ids in ((first, ["One", "Two"]), (second, ["Two", "One"])):
        own = {name: a_table(stack, id) for name, id in tables.items()}
        for id in ids:
            ordered = own if id == ids[0] else dict(reversed(own.items()))
            a_queue(stack, id, consumer=a_handler(tables=ordered))
    assert resources_of(first) == resources_of(second)


def test_the_same_code_gives_the_same_template_wherever_it_is_and_whatever_lies_beside_it(tmp_path: Path) -> None:
    templates: list[str] = []
    for folder in ("here", "there"):
        code = tmp_path / folder / "handlers"
        shutil.copytree(HANDLERS, code)
        if folder == "there":
            for leftover in ("__pycache__/orders.cpython-311.pyc", ".pytest_cache/README", ".DS_Store", "orders.pyc"):
                (code / leftover).parent.mkdir(exist_ok=True)
                (code / leftover).write_text(folder)
        stack = Stack(App(outdir=str(tmp_path / folder / "out")), "Shop")
        a_queue(stack, consumer=Handler(code, "orders:fulfil"))
        templates.append(json.dumps(Template.from_stack(stack).to_json()))
    assert templates[0] == templates[1]


def test_an_edit_of_the_code_changes_the_template(tmp_path: Path) -> None:
    keys: set[str] = set()
    for text in ("def fulfil(order): ...", "def fulfil(order): ...  # edited"):
        (tmp_path / "orders.py").write_text(text)
        stack = new_stack()
        a_queue(stack, consumer=Handler(tmp_path, "orders:fulfil"))
        (function,) = [it for it in resources_of(stack).values() if it["Type"] == "AWS::Lambda::Function"]
        keys.add(function["Properties"]["Code"]["S3Key"])
    assert len(keys) == 2


def test_the_template_reads_like_this(snapshot: SnapshotAssertion) -> None:
    """The few words that a reviewer sees change; what they mean is held by the other tests."""
    kept = ("SQS::Queue", "Lambda::EventSourceMapping", "DynamoDB::Table", "Lambda::Function")
    stack = new_stack()
    a_queue(stack, idempotency_key="order_id")
    ours = {id: it for id, it in masked(stack).items() if it["Type"].removeprefix("AWS::") in kept}
    assert ours == snapshot.use_extension(JSONSnapshotExtension)


def masked(stack: Stack) -> dict[str, Any]:
    """Resources without the hashes of code, which other tests are about."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "<hash>", json.dumps(resources_of(stack)))
    return {id: {k: v for k, v in it.items() if k != "Metadata"} for id, it in json.loads(text).items()}
