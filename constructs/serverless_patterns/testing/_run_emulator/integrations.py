"""One request on its way through the gateway: one id for it everywhere, mapping templates rendered as on AWS, and the
role that sends to a queue."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

HOOKS = {
    "ministack.services.apigateway_v1": (
        "_build_lambda_event_v1",
        "_execute_in_scope",
        "_gw_error",
        "_invoke_authorizer_lambda",
        "_invoke_mock_v1",
        "_invoke_sqs_v1",
        "_render_request_template_v1",
    ),
    "ministack.services.sqs": ("_dispatch", "_Err"),
}


def _no_overrides() -> dict[str, Any]:
    sent: dict[str, Any] = {"header": {}, "path": {}, "querystring": {}}
    return {"requestOverride": sent, "responseOverride": {"header": {}, "status": None}}


@dataclass
class Call:
    """One request on its way through the gateway; its templates share a `$context`."""

    templates: Any
    """The module that renders."""
    request: dict[str, Any]
    """As the gateway fills it in: ids, headers, query, and the path parameters once it has routed."""
    method: str
    path: str
    caller: dict[str, Any] = field(default_factory=dict[str, Any])
    """Who signed the request, for methods with IAM."""
    role: str = ""
    """With which the gateway calls the service."""
    overrides: dict[str, Any] = field(default_factory=_no_overrides)

    def render(self, template: str, body: str, authorizer: dict[str, Any] | None) -> str:
        """The text of a template of this request, or of its response."""
        request = self.request
        headers = request["headers"]
        identity = {"sourceIp": "127.0.0.1", "userAgent": headers.get("user-agent", ""), **self.caller}
        context = {
            "apiId": request["api_id"],
            "authorizer": authorizer or {},
            "httpMethod": self.method,
            "identity": {name: value for name, value in identity.items() if value is not None},
            "path": f"/{request['stage_name']}{self.path}",
            "requestId": request["request_id"],
            "resourcePath": request["resource_path"],
            "stage": request["stage_name"],
            **self.overrides,
        }
        query = {name: values[0] for name, values in request["query_params"].items()}
        parameters = self.templates.Request(request["path_params"], query, headers)
        return self.templates.render(template, body, parameters, context)

    def overridden(self, answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], bytes]:
        """The answer after what its templates set on `$context.responseOverride`."""
        status, headers, body = answer
        override = self.overrides["responseOverride"]
        return int(override["status"] or status), headers | override["header"], body


CALL = ContextVar[Call]("CALL")


def render_as_aws(gateway: Any, templates: Any) -> None:
    """Render the templates of queue and mock integrations."""
    execute, send, mock = gateway._execute_in_scope, gateway._invoke_sqs_v1, gateway._invoke_mock_v1

    async def execute_as_call(request: dict[str, Any], *rest: Any) -> Any:
        _, _, method, path, *_ = rest
        before = CALL.set(Call(templates, request, method, path))
        try:
            return await execute(request, *rest)
        except templates.UnreadableBody as error:
            return gateway._gw_error("BAD_REQUEST_BODY", str(error))
        finally:
            CALL.reset(before)

    async def send_as_role(integration: dict[str, Any], *rest: Any, **more: Any) -> Any:
        call = CALL.get()
        call.caller, call.role = more.get("caller_identity") or {}, integration.get("credentials") or ""
        return call.overridden(await send(integration, *rest, **more))

    def mock_rendered(integration: dict[str, Any]) -> Any:
        call = CALL.get()
        asked: dict[str, str] = integration.get("requestTemplates") or {}
        rendered = {kind: call.render(template, "", None) for kind, template in asked.items()}
        status, headers, body = mock({**integration, "requestTemplates": rendered})
        return call.overridden((status, headers, call.render(body.decode(), "", None).encode()))

    def rendered(template: str, body: str, _params: Any, context: dict[str, Any] | None = None) -> str:
        return CALL.get().render(template, body, (context or {}).get("authorizer"))

    gateway._execute_in_scope, gateway._invoke_sqs_v1 = execute_as_call, send_as_role
    gateway._invoke_mock_v1, gateway._render_request_template_v1 = mock_rendered, rendered


def name_requests(gateway: Any) -> None:
    """Give functions and authorizers the id that the gateway's answers and templates have."""
    build, ask = gateway._build_lambda_event_v1, gateway._invoke_authorizer_lambda

    def build_named(*request: Any, **more: Any) -> dict[str, Any]:
        event: dict[str, Any] = build(*request, **more)
        event["requestContext"]["requestId"] = CALL.get().request["request_id"]
        return event

    async def ask_named(authorizer: Any, event: dict[str, Any], *scope: Any) -> Any:
        event.get("requestContext", {})["requestId"] = CALL.get().request["request_id"]
        return await ask(authorizer, event, *scope)

    gateway._build_lambda_event_v1, gateway._invoke_authorizer_lambda = build_named, ask_named


def authorize_roles(queues: Any, may: Callable[[str, str, str], bool]) -> None:
    """Let a queue refuse what the integration's role may not do, as AWS does; the gateway maps the refusal."""
    as_shipped = queues._dispatch

    async def dispatch(action: str, data: dict[str, Any], url: str) -> Any:
        call = CALL.get(None)
        if call and not may(call.role, f"sqs:{action}", url.rpartition("/")[2]):
            raise queues._Err("AccessDenied", f"{call.role} may not perform sqs:{action} on {url}", 403)
        return await as_shipped(action, data, url)

    queues._dispatch = dispatch
