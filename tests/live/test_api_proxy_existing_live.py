"""Routes on an API that somebody else deployed: they answer, their owner's go on, and the stage gets each change.

The emulator serves a method without a deployment (honesty suite), so that the stage is asked which deployment it has.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from botocore.credentials import Credentials

from serverless_patterns import ApiProxy, Defaults, Handler, IamAuthorizer, LambdaAuthorizer, MockResponse, Route
from serverless_patterns.testing import Cloud
from tests.live.api_stack import ORDER
from tests.live.honesty.raw_rest_api import RawRestApi
from tests.live.rest_calls import Api

HANDLERS = Path(__file__).parent / "handlers"
ANN = {"Authorization": "Bearer ann"}
STAGE = "live"


def their_api(scope: Stack) -> apigateway.RestApi:
    api = apigateway.RestApi(scope, "Theirs", deploy_options=apigateway.StageOptions(stage_name=STAGE))
    answer = apigateway.MockIntegration(
        request_templates={"application/json": '{"statusCode": 200}'},
        integration_responses=[apigateway.IntegrationResponse(status_code="200")],
    )
    api.root.add_resource("things").add_method(
        "GET", answer, method_responses=[apigateway.MethodResponse(status_code="200")]
    )
    return api


class Routes(Stack):
    """Routes of each kind that leaves marks at the gateway: authorizer, model, validator, role-less answer."""

    def __init__(self, scope: App, id: str, existing: Any, **arguments: Any) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        self.attach(existing or their_api(self), **arguments)

    def attach(self, existing: Any, *, status: int = 200, **arguments: Any) -> None:
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        show, identify = (self._handler(name, ledger) for name in ("show", "identify"))
        self.user = iam.User(self, "User")
        self.api = ApiProxy(
            self,
            "Api",
            rest_api=existing(self) if callable(existing) else existing,
            authorizer=LambdaAuthorizer(identify),
            routes=[
                Route("GET /things/{id}", show) if not arguments else Route("GET /mine/{id}", show),
                Route("POST /mine", self._handler("take", ledger), body=ORDER),
                Route("GET /mine/health", MockResponse(status), public=True),
                Route("GET /mine/signed", show, authorizer=IamAuthorizer()),
            ],
            **arguments,
        )
        self.api.grant_invoke(self.user, "GET /mine/signed")

    def _handler(self, name: str, ledger: dynamodb.TableV2) -> Handler:
        return Handler(HANDLERS, f"front_door:{name}", tables={"LEDGER": ledger})


def check_routes(api: Api, thing: str) -> None:
    assert api.call("GET /mine/health").status == 200
    assert api.call(f"GET {thing}/7", headers=ANN).json["params"] == {"id": "7"}
    assert api.call(f"GET {thing}/7").status == 401
    order = {"id": thing, "quantity": 1}
    first, again = (api.call("POST /mine", order, {**ANN, "Idempotency-Key": "k-1"}) for _ in range(2))
    assert first.status == again.status == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.call("POST /mine", {"id": 1}, {**ANN, "Idempotency-Key": "k-2"}).status == 400


@pytest.fixture
def deployed(embedded_cloud: Cloud, tmp_path: Path) -> Any:
    """Deploys an app; the same stack again is an update."""
    with ExitStack() as last:
        count = iter(range(10))

        def deploy(make: Any) -> tuple[Any, Any]:
            app = embedded_cloud.app(tmp_path / f"cdk.out{next(count)}")
            stack = make(app)
            return last.enter_context(embedded_cloud.deploy(app)), stack

        yield deploy


def test_routes_on_an_api_of_the_same_stack_answer_and_move_its_stage(
    embedded_cloud: Cloud, deployed: Any, fresh_name: str
) -> None:
    deployment, _ = deployed(lambda app: Routes(app, fresh_name, None))
    api = Api(deployment.url(f"{fresh_name}/Theirs"))
    check_routes(api, "/things")
    assert api.call("GET /things").status == 200, "what its owner has"
    had = stage_of(embedded_cloud, deployment.physical_id(f"{fresh_name}/Theirs"))
    deployment, _ = deployed(lambda app: Routes(app, fresh_name, None, status=201))
    assert stage_of(embedded_cloud, deployment.physical_id(f"{fresh_name}/Theirs")) != had
    assert api.call("GET /mine/health").status == 201


def test_routes_on_an_api_of_another_stack_answer_and_move_its_stage(
    embedded_cloud: Cloud, deployed: Any, fresh_name: str
) -> None:
    def both(app: App, status: int = 200) -> Routes:
        owner = Stack(app, f"{fresh_name}Owner")
        return Routes(app, fresh_name, their_api(owner), status=status)

    deployment, _ = deployed(both)
    api, id = Api(deployment.url(f"{fresh_name}Owner/Theirs")), deployment.physical_id(f"{fresh_name}Owner/Theirs")
    check_routes(api, "/things")
    assert api.call("GET /things").status == 200
    had = stage_of(embedded_cloud, id)
    deployed(lambda app: both(app, 201))
    assert stage_of(embedded_cloud, id) != had
    assert api.call("GET /mine/health").status == 201


def test_routes_on_an_imported_api_answer_and_move_the_stage_that_was_named(
    embedded_cloud: Cloud, deployed: Any, fresh_name: str, request: pytest.FixtureRequest
) -> None:
    theirs = RawRestApi(embedded_cloud, fresh_name)
    request.addfinalizer(lambda: theirs.client.delete_rest_api(restApiId=theirs.id))
    theirs.to_mock("GET /things", '{"statusCode": 200}')
    theirs.deploy()
    had = stage_of(embedded_cloud, theirs.id)

    def imported(scope: Stack) -> Any:
        return apigateway.RestApi.from_rest_api_attributes(
            scope, "Front", rest_api_id=theirs.id, root_resource_id=theirs.root
        )

    deployment, stack = deployed(lambda app: Routes(app, fresh_name, imported, stage_name=STAGE))
    check_routes(theirs.calls, "/mine")
    assert theirs.calls.call("GET /things").status == 200
    ours = stage_of(embedded_cloud, theirs.id)
    assert ours != had
    key = embedded_cloud.client("iam").create_access_key(UserName=deployment.physical_id(stack.user))["AccessKey"]
    signer = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    assert theirs.calls.signed("GET /mine/signed", signer).status == 200
    embedded_cloud.client("iam").delete_access_key(UserName=key["UserName"], AccessKeyId=key["AccessKeyId"])
    deployed(lambda app: Routes(app, fresh_name, imported, stage_name=STAGE, status=201))
    kept = {one["id"] for one in theirs.client.get_deployments(restApiId=theirs.id)["items"]}
    assert stage_of(embedded_cloud, theirs.id) not in {had, ours}
    assert {had, ours} <= kept, "a deployment that a stage may still have is not deleted"


def stage_of(cloud: Cloud, rest_api_id: str) -> str:
    """The deployment that the stage has."""
    return cloud.client("apigateway").get_stage(restApiId=rest_api_id, stageName=STAGE)["deploymentId"]
