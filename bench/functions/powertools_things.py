"""The peer: the same API function with Powertools' resolver, logger and metrics, as its documentation has it."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
app = APIGatewayRestResolver()


@app.get("/things")
def show_all() -> Response[dict[str, Any]]:
    return _answer(None, None)


@app.post("/things")
def add() -> Response[dict[str, Any]]:
    return _answer(None, app.current_event.json_body["name"])


@app.get("/things/<thing_id>")
def show(thing_id: str) -> Response[dict[str, Any]]:
    return _answer(thing_id, None)


@app.put("/things/<thing_id>")
def replace(thing_id: str) -> Response[dict[str, Any]]:
    return _answer(thing_id, app.current_event.json_body["name"])


def _answer(thing_id: str | None, name: str | None) -> Response[dict[str, Any]]:
    request_id = app.current_event.request_context.request_id
    headers = {"X-Correlation-Id": request_id, "Cache-Control": "no-store"}
    return Response(200, "application/json", {"thing_id": thing_id, "name": name}, headers)  # type: ignore[arg-type]


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    answer = app.resolve(event, context)
    route = f"{event['httpMethod']} {event['resource']}"
    logger.info("request answered", extra={"route": route, "outcome": "Succeeded", "status": answer["statusCode"]})
    metrics.add_metric(name="Succeeded", unit=MetricUnit.Count, value=1)
    return answer
