"""The write model as a function reaches it: its table, and the schema that this code reads and writes."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.attribute_values import AttributeValue
from serverless_patterns_runtime.business_function.business_function import imported
from serverless_patterns_runtime.claims.contention import NOT_NOW, tries
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.cqrs_table import contract
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, Schema
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["Image", "WriteModel", "read_batch"]

MAX_KEYS = 100
"""Of one BatchGetItem."""

Image = Mapping[str, AttributeValue]


class WriteModel(NamedTuple):
    dynamodb: Any
    table_name: str
    key: str
    """Name of the partition key."""
    schema: Schema
    sleep: Callable[[float], None] = time.sleep
    chance: random.Random = random.SystemRandom()

    @classmethod
    def from_environment(cls) -> "WriteModel":
        """Read at init, so that a broken import shows before the first event."""
        env = environment.read(contract.Env)
        upcast = imported(env.UPCAST) if env.UPCAST else None
        schema = Schema(int(env.SCHEMA_VERSION), upcast)
        return cls(client("dynamodb"), env.AGGREGATES_TABLE_NAME, env.AGGREGATE_KEY, schema)

    def read_aggregates(
        self, keys: Iterable[str], *, remaining: Callable[[], float], consistent: bool = True
    ) -> dict[str, Aggregate | None]:
        """Each key with what is there now; None: there is no item. A deleted one is an Aggregate without a state.

        `remaining`: seconds that there are to try. Raises Contended when DynamoDB leaves some of it for so long,
        ClientError, UnknownSchema, and what `upcast` raises.
        """
        images = self.read_images(keys, remaining=remaining, consistent=consistent)
        return {key: None if image is None else self.aggregate(image) for key, image in images.items()}

    def read_images(
        self, keys: Iterable[str], *, remaining: Callable[[], float], consistent: bool = True
    ) -> dict[str, Image | None]:
        """The same as items: for who needs their versions alone, or treats a state that cannot be read by itself."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Image | None] = dict.fromkeys(wanted)
        for start in range(0, len(wanted), MAX_KEYS):
            asked = [{self.key: {"S": key}} for key in wanted[start : start + MAX_KEYS]]
            request = {self.table_name: {"Keys": asked, "ConsistentRead": consistent}}
            answer = read_batch(self.dynamodb, request, tries(remaining, self.sleep, self.chance))
            found.update((image[self.key]["S"], image) for image in answer.get(self.table_name, ()))
        return found

    def aggregate(self, image: Image) -> Aggregate:
        """Raises UnknownSchema, and what `upcast` raises."""
        return Aggregate.from_image(image, self.key, self.schema)


def read_batch(
    dynamodb: Any, request: Mapping[str, Mapping[str, Any]], attempts: Iterable[int]
) -> Mapping[str, Sequence[Image]]:
    """The items that are there, by table. What DynamoDB leaves is asked for again, as often as `attempts` lets."""
    found: dict[str, list[Image]] = {}
    for _ in attempts:
        try:
            answer = dynamodb.batch_get_item(RequestItems=request)
        except ClientError as error:
            if error_code(error) not in NOT_NOW:
                raise
            continue
        for table_name, images in answer["Responses"].items():
            found.setdefault(table_name, []).extend(images)
        request = answer.get("UnprocessedKeys") or {}
        if not request:
            return found
    raise AssertionError("tries end by Contended")
