"""`python tools/check_api_account.py cdk.out`: may API Gateway write the access logs that the stacks there ask for?

Without its role the deployment fails after minutes, and is rolled back. Says what is missing, and what mends it.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

UNKNOWN = "unknown-region"
QUICK = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
Clients = Callable[[str | None], Any]


class Asking(NamedTuple):
    """A stack whose APIs write access logs."""

    name: str
    region: str | None
    """`None`: that of the environment."""


def main(folder: Path, clients: Clients | None = None) -> int:
    """Print what is missing; 1 when something is, or cannot be found out."""
    asking = sorted(set(stacks_with_access_logs(folder)), key=lambda one: (one.region or "", one.name))
    wrong = [line for region in dict.fromkeys(one.region for one in asking) for line in _of(region, asking, clients)]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def stacks_with_access_logs(folder: Path) -> Iterator[Asking]:
    """Those of a cloud assembly, and of the assemblies inside it, that do not bring the role themselves."""
    for id, artifact in json.loads((folder / "manifest.json").read_text())["artifacts"].items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly":
            yield from stacks_with_access_logs(folder / properties["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            templates = [folder / properties["templateFile"], *folder.glob(f"{id}*.nested.template.json")]
            found = [one for path in templates for one in json.loads(path.read_text()).get("Resources", {}).values()]
            if any(map(_writes_logs, found)) and "AWS::ApiGateway::Account" not in [one["Type"] for one in found]:
                region = artifact["environment"].rpartition("/")[2]
                yield Asking(properties.get("stackName", id), None if region == UNKNOWN else region)


def _writes_logs(resource: dict[str, Any]) -> bool:
    return resource["Type"] == "AWS::ApiGateway::Stage" and "AccessLogSetting" in resource.get("Properties", {})


def _of(region: str | None, asking: list[Asking], clients: Clients | None) -> Iterator[str]:
    names = ", ".join(one.name for one in asking if one.region == region)
    where = region or "the region of the environment"
    try:
        client = (clients or _client)(region)
        where = client.meta.region_name
        role = client.get_account().get("cloudwatchRoleArn")
    except (BotoCoreError, ClientError) as error:
        reason = " ".join(str(error).split())
        yield f"{where}: whether API Gateway may write the access logs of {names} cannot be asked: {reason}"
        return
    if not role:
        yield (
            f"{where}: API Gateway has no role to write logs with in this account, and {names} asks for access logs. "
            f"Deploy it, once for all APIs: AWS_REGION={where} make api-account"
        )


def _client(region: str | None) -> Any:
    session: Any = boto3.session.Session()
    return session.client("apigateway", region_name=region, config=QUICK)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "cdk.out")))
