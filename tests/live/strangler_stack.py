"""The shop's old site behind a gateway, with routes on their way to functions that can be told to fail."""

from pathlib import Path
from typing import Any

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb

from serverless_patterns import Defaults, Handler, LegacyBackend, MigratedRoute, Shadow, StranglerGateway

HANDLERS = Path(__file__).parent / "handlers"
PROFILE, CATALOGUE, REPORT, BASKET = "GET /profile/{id}", "GET /catalogue", "GET /reports/{name}", "POST /basket"
SIDE = "X-Side"


class StranglerStack(Stack):
    def __init__(self, scope: App, id: str, old_site: str, *, version: int = 1) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        self._version = str(version)
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        self.gateway = StranglerGateway(
            self,
            "Site",
            auth="legacy",
            access_logs=False,
            force_header=SIDE,
            legacy=LegacyBackend(old_site, headers={"X-Tenant": "shop"}),
            routes=[
                self._moving(PROFILE, "show", shadow=Shadow(compare=["$.name"])),
                self._moving(CATALOGUE, "search", initial_percent=50),
                self._moving(REPORT, "report", initial_percent=100, timeout=Duration.seconds(1)),
                self._moving(BASKET, "add", idempotency="optional", timeout=Duration.seconds(20)),
            ],
        )
        assert self.gateway.control_function
        CfnOutput(self, "RouteControl", value=self.gateway.control_function.function_name)

    def _moving(self, route: str, function: str, **settings: Any) -> MigratedRoute:
        handler = Handler(
            HANDLERS, f"moved:{function}", tables={"LEDGER": self.ledger}, environment={"VERSION": self._version}
        )
        return MigratedRoute(route, handler, stage="migrating", **settings)
