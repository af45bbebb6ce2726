"""One API with a route for each kind of target and of authorizer, and a ledger in which their functions leave marks."""

from pathlib import Path
from typing import Any

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from serverless_patterns import (
    ApiProxy,
    Cors,
    Defaults,
    Handler,
    HttpBackend,
    IamAuthorizer,
    LambdaAuthorizer,
    LoadLeveledQueue,
    MockResponse,
    Route,
    Throttle,
)

HANDLERS = Path(__file__).parent / "handlers"
SHOP, ADMIN, STRANGER = (f"https://{name}.example.com" for name in ("shop", "admin", "stranger"))
LIMIT = 2
ORDER = {
    "type": "object",
    "required": ["id", "quantity"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 100},
        "quantity": {"type": "integer", "minimum": 1},
        "note": {"type": "string"},
    },
}
SEARCH = {
    "type": "object",
    "required": ["page"],
    "properties": {"page": {"type": "integer", "minimum": 1}, "tag": {"type": "array", "items": {"type": "string"}}},
}
RAW = "def handler(event, context): return {'statusCode': 200, 'body': event['pathParameters']['id']}"
TOKEN = """
def handler(event, context):
    effect = "Allow" if event["authorizationToken"] == "let me in" else "Deny"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "token-holder", "policyDocument": policy}
"""


class ApiStack(Stack):
    def __init__(self, scope: App, id: str, backend: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        self.pool = cognito.UserPool(self, "Pool", removal_policy=RemovalPolicy.DESTROY)
        self.client = self.pool.add_client("Client", auth_flows=cognito.AuthFlow(admin_user_password=True))
        self.user, self.stranger = iam.User(self, "User"), iam.User(self, "Stranger")
        self.orders, self.doomed = self._queue("Orders"), self._queue("Doomed")
        self.ordered = self._queue("Ordered", fifo=True)
        self.raw, token = self._inline("Raw", RAW), self._inline("Token", TOKEN)
        show, take, call, picture = (self._handler(name) for name in ("show", "take", "call", "picture"))
        pools = apigateway.CognitoUserPoolsAuthorizer(self, "Cognito", cognito_user_pools=[self.pool])
        tokens = apigateway.TokenAuthorizer(self, "Tokens", handler=token, results_cache_ttl=Duration.seconds(0))
        self.api = ApiProxy(
            self,
            "Api",
            authorizer=LambdaAuthorizer(self._handler("identify", tables={})),
            cors=Cors(allow_origins=[SHOP, ADMIN]),
            access_logs=False,
            max_body_bytes=10_000,
            binary_media_types=["image/png"],
            routes=[
                Route("POST /orders", self.orders, body=ORDER, respond={"order_id": "$.id", "note": "$.note"}),
                Route("POST /reorders", self.orders, body=ORDER, idempotency="optional"),
                Route("POST /open-orders", self.orders, body=ORDER, public=True),
                Route("POST /ordered", self.ordered, body=ORDER, message_group="$.id"),
                Route("POST /doomed", self.doomed, body=ORDER),
                Route("POST /payments", take, body=ORDER),
                Route("POST /calls", call, body=ORDER),
                Route("PUT /calls/{id}", call, body=ORDER),
                Route("GET /things/{id}", show),
                Route("GET /search", show, query=SEARCH, public=True),
                Route("PUT /picture", picture, body=bytes),
                Route("GET /raw/{id}", self.raw),
                Route("GET /legacy/{proxy+}", HttpBackend(f"{backend}/old/{{proxy}}", allow_plain_http=True)),
                Route("POST /legacy/{proxy+}", HttpBackend(f"{backend}/old/{{proxy}}", allow_plain_http=True)),
                Route("GET /health", MockResponse(200, {"status": "ok", "price": "$5 #1"}), public=True),
                Route("GET /teapot", MockResponse(418), public=True),
                Route("GET /iam/{id}", show, authorizer=IamAuthorizer()),
                Route("POST /iam/orders", self.orders, body=ORDER, authorizer=IamAuthorizer()),
                Route("GET /cognito/{id}", show, authorizer=pools),
                Route("GET /token/{id}", show, authorizer=tokens),
                Route("GET /limited", MockResponse(), public=True, throttle=Throttle(rate=1, burst=LIMIT)),
            ],
        )
        self.api.grant_invoke(self.user, "GET /iam/{id}", "POST /iam/orders")

    def _handler(self, function: str, **more: Any) -> Handler:
        return Handler(HANDLERS, f"front_door:{function}", **{"tables": {"LEDGER": self.ledger}, **more})

    def _queue(self, id: str, **more: Any) -> LoadLeveledQueue:
        return LoadLeveledQueue(self, id, consumer=self._handler("fulfil"), max_concurrency=2, **more)

    def _inline(self, id: str, source: str) -> lambda_.Function:
        code, runtime = lambda_.Code.from_inline(source), lambda_.Runtime.PYTHON_3_13
        return lambda_.Function(self, id, runtime=runtime, handler="index.handler", code=code)
