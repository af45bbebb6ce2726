import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore import loaders, regions, session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.loaders import JSONFileLoader, Loader
from urllib3 import HTTPResponse

from serverless_patterns_runtime import clients

from . import scripted_aws


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_MAX_ATTEMPTS": "",
        "AWS_CONFIG_FILE": "absent",
        "AWS_SHARED_CREDENTIALS_FILE": "absent",
    }.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
    for cached in (clients.client, clients.impatient_client, clients._session):
        cached.cache_clear()
    yield
    for cached in (clients.client, clients.impatient_client, clients._session):
        cached.cache_clear()


def test_a_service_that_cannot_be_reached_costs_seconds_and_not_minutes():
    config: Config = clients.client("dynamodb").meta.config
    assert config.connect_timeout == 1
    assert config.read_timeout == 5
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}


def test_who_should_not_wait_gives_up_after_one_try_of_200_milliseconds():
    config: Config = clients.impatient_client("dynamodb").meta.config
    assert (config.connect_timeout, config.read_timeout) == (0.2, 0.2)
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    assert "cdk-serverless-patterns" in config.user_agent
    assert clients.client("dynamodb").meta.config.read_timeout == 5, "and nobody else does"


def test_a_server_that_does_not_answer_costs_an_impatient_client_a_moment(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{silent.getsockname()[1]}")
        dynamodb = clients.impatient_client("dynamodb")
        started = time.monotonic()
        with pytest.raises(ReadTimeoutError):
            dynamodb.get_item(TableName="t", Key={})
    assert time.monotonic() - started < 2


def test_one_client_a_service_is_made_and_no_more():
    assert clients.client("sqs") is clients.client("sqs")
    assert clients.client("sqs") is not clients.client("dynamodb")


@pytest.mark.parametrize(
    ("service", "operations"),
    [
        ("dynamodb", ["transact_write_items", "batch_execute_statement", "batch_get_item", "update_item", "get_item"]),
        ("s3", ["get_object"]),
        ("sqs", ["send_message", "change_message_visibility_batch"]),
        ("secretsmanager", ["get_secret_value"]),
        ("ssm", ["get_parameter"]),
        ("sns", ["publish_batch"]),
        ("s3", ["get_object", "put_object"]),
        ("stepfunctions", ["describe_execution"]),
    ],
)
def test_the_clients_have_every_operation_that_the_runtime_calls(service: str, operations: list[str]):
    made = clients.client(service)
    assert all(callable(getattr(made, operation)) for operation in operations)


@pytest.mark.parametrize(
    "data", ["endpoints", "partitions", "dynamodb/2012-08-10/service-2", "sqs/2012-11-05/service-2"]
)
def test_descriptions_of_services_are_read_as_the_sdk_reads_them_with_their_order(data: str):
    path = Path(Loader.BUILTIN_DATA_PATH, data)
    ours, theirs = (loader.load_file(str(path)) for loader in (clients._JsonFiles(), JSONFileLoader()))
    assert json.dumps(ours) == json.dumps(theirs)


def test_a_description_with_a_suffix_of_a_later_sdk_is_left_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(loaders, "_JSON_OPEN_METHODS", {".later": open})
    (tmp_path / "endpoints.later").write_text('{"version": 4}')
    assert clients._JsonFiles().load_file(str(tmp_path / "endpoints")) == {"version": 4}
    assert clients._JsonFiles().load_file(str(tmp_path / "partitions")) is None


@pytest.mark.parametrize("account", ["", "123456789012"])
def test_a_transaction_goes_where_the_sdk_would_send_it(account: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ACCOUNT_ID", account)
    theirs = session.get_session().create_client("dynamodb")
    address = _address_of_a_transaction(theirs)
    assert address.startswith(f"https://{account}.ddb.eu-central-1." if account else "https://dynamodb.eu-central-1.")
    assert _address_of_a_transaction(clients.client("dynamodb")) == address


def test_no_transaction_is_searched_for_arns(monkeypatch: pytest.MonkeyPatch):
    searched: list[object] = []
    monkeypatch.setattr(regions.jmespath, "search", lambda *searching: searched.append(searching))
    _address_of_a_transaction(clients.client("dynamodb"))
    assert searched == []


def _address_of_a_transaction(dynamodb: Any) -> str:
    sent: list[str] = []

    def answered(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        sent.append(request.url)
        return AWSResponse(request.url, 200, {}, HTTPResponse(BytesIO(b"{}"), preload_content=False))

    dynamodb.meta.events.register("before-send.dynamodb", answered)
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": "orders", "Item": {"order_id": {"S": "7"}}}}])
    return sent[0]


def test_a_refused_connection_is_told_as_a_missing_route(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    started = time.monotonic()
    with pytest.raises(EndpointConnectionError) as raised:
        clients.client("dynamodb").get_item(TableName="t", Key={})
    assert time.monotonic() - started < 10
    assert clients.unreachable(raised.value) == (
        f"cannot reach {url}/: a function in a VPC needs a route to it;"
        " add the VPC endpoints that the construct lists as required_endpoints, or a NAT gateway"
    )


def test_a_connection_that_never_comes_about_is_told_as_a_missing_route():
    error = ConnectTimeoutError(endpoint_url="https://sqs.eu-central-1.amazonaws.com/")
    assert (clients.unreachable(error) or "").startswith("cannot reach https://sqs.eu-central-1.amazonaws.com/: ")


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://sqs.invalid"),
        scripted_aws.error("SendMessage", "AccessDenied"),
        TimeoutError(),
        ValueError("cannot reach"),
    ],
)
def test_other_errors_say_nothing_of_routes(error: BaseException):
    assert clients.unreachable(error) is None


class OneAnswer(threading.Thread):
    """An HTTP server for one request."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.request = b""

    def run(self) -> None:
        connection, _ = self._listening.accept()
        with connection, self._listening:
            connection.settimeout(5)
            while not self.request.endswith(b"}"):
                self.request += connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"
            )


def sent(call: Any, monkeypatch: pytest.MonkeyPatch, variable: str) -> bytes:
    server = OneAnswer()
    server.start()
    monkeypatch.setenv(variable, server.url)
    call()
    server.join(5)
    return server.request


def test_a_transaction_carries_a_token_so_that_the_sdk_may_repeat_it(monkeypatch: pytest.MonkeyPatch):
    """Its own checks of parameters are off; the token must come all the same."""
    request = sent(
        lambda: clients.client("dynamodb").transact_write_items(TransactItems=[]),
        monkeypatch,
        "AWS_ENDPOINT_URL_DYNAMODB",
    )
    assert b'"ClientRequestToken": "' in request


def test_binary_values_are_sent_in_base64(monkeypatch: pytest.MonkeyPatch):
    value = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    request = sent(
        lambda: clients.client("sqs").send_message(QueueUrl="q", MessageBody="b", MessageAttributes={"a": value}),
        monkeypatch,
        "AWS_ENDPOINT_URL_SQS",
    )
    assert b'"BinaryValue": "AP8="' in request


def test_requests_say_who_makes_them(monkeypatch: pytest.MonkeyPatch):
    request = sent(
        lambda: clients.client("dynamodb").get_item(TableName="t", Key={}), monkeypatch, "AWS_ENDPOINT_URL_DYNAMODB"
    )
    assert b"cdk-serverless-patterns" in request


class Connections(ThreadingHTTPServer):
    """Counts them. Answers when as many requests are there as a client keeps connections."""

    daemon_threads = True
    request_queue_size = 2 * clients.CONNECTIONS

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.count = 0
        self.together = threading.Barrier(clients.CONNECTIONS, timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Connections

    def setup(self) -> None:
        super().setup()
        self.server.count += 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.together.wait()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None: ...


def test_connections_are_kept_for_all_requests_that_may_be_under_way_at_once(monkeypatch: pytest.MonkeyPatch):
    with Connections() as server, ThreadPoolExecutor(clients.CONNECTIONS) as threads:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
        dynamodb = clients.client("dynamodb")
        for _ in range(3):
            list(threads.map(lambda _: dynamodb.get_item(TableName="t", Key={}), range(clients.CONNECTIONS)))
        server.shutdown()
        dynamodb.close()
    assert server.count == clients.CONNECTIONS
