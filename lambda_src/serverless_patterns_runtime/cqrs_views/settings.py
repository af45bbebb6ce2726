"""The environment of functions that fill views, parsed once at init."""

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.contract import ViewTold
from serverless_patterns_runtime.cqrs_views.document_contract import DocumentTold
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.sink import Sink
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.totals import Totals
from serverless_patterns_runtime.cqrs_views.views import View
from serverless_patterns_runtime.fan_out_topic.packed import unpacked

__all__ = ["ViewSettings"]


class ViewSettings(NamedTuple):
    views: Mapping[str, View]
    control_table_name: str
    bucket: str
    """Of what was given up."""
    documents: Mapping[str, DocumentTold]

    @classmethod
    def from_environment(cls, dynamodb: Any, together: Together) -> "ViewSettings":
        """Loads the views' functions. Raises KeyError and ImportError, at init."""
        env = environment.read(contract.Env)
        tables = cast("dict[str, str]", json.loads(env.VIEW_TABLES))
        told = cast("list[ViewTold]", unpacked(env.VIEWS)["views"])
        views = {one["name"]: _view(one, tables, dynamodb, together) for one in told}
        documents = cast("dict[str, DocumentTold]", json.loads(env.DOCUMENTS))
        return cls(views, env.CONTROL_TABLE_NAME, env.PARKED_BUCKET_NAME, documents)


def _view(told: ViewTold, tables: Mapping[str, str], dynamodb: Any, together: Together) -> View:
    call = BusinessFunction.load(told["call"], returns_effects=False).call
    if told["kind"] == "totals":
        return View.of(told, call, Totals(dynamodb, tables[told["name"]]))
    if told["sink"] == "dynamodb":
        return View.of(told, call, DynamoDbSink(dynamodb, tables[told["name"]], "sk" in told, together))
    return View.of(told, call, _other_sink(told, os.environ[told["sink"]]), tables[told["name"]])


def _other_sink(told: ViewTold, described: str) -> Sink:
    sink, owner = json.loads(described), os.environ["CONTROL_TABLE_NAME"]
    # Each for those who have one.
    if sink["kind"] in ("sql", "data-api"):
        from serverless_patterns_runtime.cqrs_sql.building import sql_sink

        return sql_sink(sink, told.get("sk_type", "S") if "sk" in told else None, owner)
    if sink["kind"] == "open-search":
        from serverless_patterns_runtime.cqrs_open_search.building import open_search_sink

        return open_search_sink(sink, owner, has_sort="sk" in told)
    raise ValueError(f"{told['name']}: this layer knows no sink of the kind {sink['kind']!r}")
