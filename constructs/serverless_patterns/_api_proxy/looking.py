"""A look at the API that the user attaches to, and at what was said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway

from .._checks import Problems, is_token
from .arguments import check_stage_name
from .existing import ExistingApi

if TYPE_CHECKING:
    from constructs import Construct

# Arguments that say something of what is the owner's, and what to do instead.
_OWNERS: Mapping[str, str] = {
    "access_logs": "give the stage an access_log_destination where it is defined",
    "alarm_actions": "alarms of the stage are its owner's; make your own from metric_server_errors()",
    "alarms": "alarms of the stage are its owner's; make your own from metric_server_errors()",
    "domain": "map it to the stage where the API is defined",
    "max_latency": "alarms of the stage are its owner's; make your own from metric_latency()",
    "throttle": "set throttling_rate_limit where the stage is defined",
    "usage_plans": "plans are of the stage: define them where that is; api_key_required=True works with them",
    "web_acl": "associate it where the stage is defined",
}


def given(value: object, default: object) -> object:
    """What the user said; `None` when it is the default, by identity."""
    return None if value is default else value


def look(
    problems: Problems,
    scope: Construct,
    rest_api: Any,
    stage_name: str | None,
    binary_media_types: Sequence[str],
    said: Mapping[str, object],
) -> ExistingApi | None:
    """Look at an API; `None` when there is none, or something is wrong with it, which is a problem.

    Args:
        problems: Takes what is wrong.
        scope: Where the routes will be.
        rest_api: What the user gave; `None`: the API is to be one of our own.
        stage_name: Likewise.
        binary_media_types: Likewise: what an imported API has.
        said: What the user said of what is its owner's, by argument; `None`: nothing.
    """
    if rest_api is None:
        return None
    for argument, fix in _OWNERS.items():
        if said[argument] is not None:
            problems.add(argument, "be left out with rest_api", repr(said[argument]), fix)
    if isinstance(rest_api, apigateway.RestApi):
        return _seen(problems, scope, rest_api, stage_name, binary_media_types)
    if isinstance(rest_api, apigateway.SpecRestApi) or not isinstance(rest_api, apigateway.RestApiBase):
        fix = "what an OpenAPI document defines is its own: add the routes there, or leave rest_api out"
        problems.add("rest_api", "be a RestApi, or an imported one", f"a {type(rest_api).__name__}", fix)
        return None
    return _imported(problems, rest_api, stage_name, binary_media_types)


def _seen(
    problems: Problems, scope: Construct, rest_api: apigateway.RestApi, stage_name: str | None, binary: Sequence[str]
) -> ExistingApi | None:
    for argument, value in (("stage_name", stage_name), ("binary_media_types", binary)):
        if value:
            problems.add(argument, "be left out with rest_api", repr(value), "the API is defined in this app")
    if isinstance(rest_api, apigateway.LambdaRestApi) and rest_api.root.get_resource("{proxy+}") is not None:
        problems.add("rest_api", "take other paths", "a LambdaRestApi for every path", "define it with proxy=False")
    if rest_api.root.default_method_options is not None:
        fix = "give its methods their options one by one: what holds for all would hold for these routes too"
        problems.add("rest_api", "have no default_method_options", "some", fix)
    theirs, ours = Stack.of(rest_api), Stack.of(scope)
    _check_stacks(problems, theirs, ours)
    stage = _stage_of(rest_api)
    if stage is None:
        fix = "leave deploy=False out, or set its deployment_stage before"
        problems.add("rest_api", "have a stage", f"{rest_api.node.path} without one", fix)
        return None
    resource = cast(apigateway.CfnRestApi, rest_api.node.default_child)
    return ExistingApi(
        rest_api,
        rest_api,
        ours is theirs and rest_api.latest_deployment is not None,
        rest_api.rest_api_id,
        rest_api.rest_api_root_resource_id,
        # As it is written, not as a reference: the permission of a function need not wait for the stage.
        cast(apigateway.CfnStage, stage.node.default_child).stage_name or stage.stage_name,
        resource.binary_media_types or (),
    )


def _check_stacks(problems: Problems, theirs: Stack, ours: Stack) -> None:
    if ours in theirs.dependencies:
        fix = "put the ApiProxy into the stack of the API, or its functions' users elsewhere"
        got = f"{theirs.node.path}, which depends on {ours.node.path}"
        problems.add("rest_api", "be in a stack that can be deployed first", got, fix)
    for name in ("account", "region"):
        one, other = getattr(theirs, name), getattr(ours, name)
        if one != other and not is_token(one) and not is_token(other):
            problems.add("rest_api", f"be in the {name} of its routes", f"{one} and {other}", "move the ApiProxy there")


def _stage_of(rest_api: apigateway.RestApi) -> apigateway.Stage | None:
    try:
        return rest_api.deployment_stage
    except RuntimeError:  # deploy=False, and nobody set one
        return None


def _imported(
    problems: Problems, rest_api: apigateway.RestApiBase, stage_name: str | None, binary: Sequence[str]
) -> ExistingApi | None:
    root = _root_of(rest_api)
    if root is None:
        fix = "import it by RestApi.from_rest_api_attributes(rest_api_id=..., root_resource_id=...)"
        problems.add("rest_api", "know its root resource", "one of from_rest_api_id", fix)
    if stage_name is None:
        fix = "name the stage that the API has: a new deployment moves it"
        problems.add("stage_name", "be given for an imported rest_api", "None", fix)
        return None
    if not is_token(stage_name):
        check_stage_name(problems, stage_name)
    if root is None:
        return None
    return ExistingApi(rest_api, None, False, rest_api.rest_api_id, root, stage_name, binary)


def _root_of(rest_api: apigateway.RestApiBase) -> str | None:
    try:
        return rest_api.rest_api_root_resource_id
    except RuntimeError:  # of CDK: from_rest_api_id
        return None
