"""An app outside this repository, which has nothing of it but the wheel, is synthesised, deployed, and works."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serverless_patterns.testing import EmbeddedCloud, wait_until

HERE = Path(__file__).parent
LOCK = HERE.parents[1] / "requirements-dev.lock"
LIBRARY = "sortedcontainers"


@pytest.fixture
def outside(tmp_path: Path, user_environment: Callable[[str], Path]) -> Path:
    """The app's folder, with a lock for its function's one dependency, and a cdk.json for its own Python."""
    folder = Path(shutil.copytree(HERE / "outside", tmp_path / "outside"))
    locked = re.search(rf"^{LIBRARY}==.*(?:\n +--hash.*)*", LOCK.read_text(), re.MULTILINE)
    assert locked
    (folder / "requirements.txt").write_text(locked[0].rstrip(" \\\n") + "\n")
    (folder / "cdk.json").write_text(json.dumps({"app": f"{user_environment('3.11')} app.py"}))
    return folder


def test_an_outside_app_works_with_its_own_function_and_with_an_imported_one(outside: Path) -> None:
    # A cloud of its own, without IAM: there the emulator refuses the CDK's bootstrap roles, which any app uses.
    with EmbeddedCloud.start() as cloud, cloud.deploy(outside) as deployment:
        sqs, dynamodb = cloud.client("sqs"), cloud.client("dynamodb")
        own = deployment.outputs["Outside"]["OwnQueueUrl"]
        imported = sqs.get_queue_url(QueueName="outside-queue")["QueueUrl"]
        sqs.send_message(QueueUrl=own, MessageBody=json.dumps({"id": "own", "values": [3, 1, 2]}))
        sqs.send_message(QueueUrl=imported, MessageBody=json.dumps({"id": "imported"}))

        def items() -> dict[str, Any]:
            found = dynamodb.scan(TableName="outside-table")["Items"]
            return {item["id"]["S"]: item for item in found}

        wait_until(lambda: len(items()) == 2, 60, "both functions to have worked")
        assert [value["N"] for value in items()["own"]["values"]["L"]] == ["1", "2", "3"]
        assert items()["imported"]["by"]["S"] == "imported function"
