"""The consumer of a document's queue: builds it from its sources, if a change is waiting for that."""

import json
import os
import time
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.business_function.json_text import json_text
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.cqrs_queries.contract import Reading
from serverless_patterns_runtime.cqrs_queries.deployed_view import DeployedView
from serverless_patterns_runtime.cqrs_views.building import Building
from serverless_patterns_runtime.cqrs_views.contents import Contents
from serverless_patterns_runtime.cqrs_views.document_contract import BuildEnv, DocumentEnv
from serverless_patterns_runtime.cqrs_views.sources import Sources
from serverless_patterns_runtime.errors import NotNow
from serverless_patterns_runtime.invocation import Invocation

__all__ = ["Builder", "build_document"]


def build_document(message: object, invocation: Invocation) -> None:  # noqa: ARG001
    """The message says nothing but that there may be something to build."""
    _builder().build(invocation)


class Builder(NamedTuple):
    building: Building
    function: BusinessFunction
    readings: Sequence[Reading]
    dynamodb: Any

    def build(self, invocation: Invocation) -> bool:
        """Whether a document was built. Raises what the user's function and the clients raise."""
        try:
            return self.building.build(lambda: self._made(invocation))
        except NotNow:
            # Whoever shows the source for the first time marks its documents then.
            invocation.logger.info("a source is not there yet")
            return False

    def _made(self, invocation: Invocation) -> str:
        # Not kept from one build to the next: which generation is live is read anew.
        views = {told["view"]: (told["kind"], DeployedView(told, self.dynamodb)) for told in self.readings}
        rows = {name: view for name, (kind, view) in views.items() if kind == "rows"}
        totals = {name: view for name, (kind, view) in views.items() if kind == "totals"}
        return json_text(self.function(Sources(rows, totals), invocation), "the document")


@cache
def _builder() -> Builder:
    told, build = environment.read(DocumentEnv), environment.read(BuildEnv)
    dynamodb, table, name = client("dynamodb"), told.DOCUMENT_CONTROL_TABLE_NAME, told.DOCUMENT
    s3 = client("s3") if told.DOCUMENT_BUCKET_NAME else None
    contents = Contents(dynamodb, lambda: s3, table, told.DOCUMENT_BUCKET_NAME, name)
    return Builder(
        Building(dynamodb, table, name, contents, time.time),
        BusinessFunction.load(build.BUILD, returns_effects=False),
        cast("list[Reading]", json.loads(build.SOURCES)["sources"]),
        dynamodb,
    )


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _builder()  # at init, which Lambda runs with more CPU
