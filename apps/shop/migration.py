"""The shop's site on its way out of one old server: route by route, some visitors first, and back in seconds."""

from pathlib import Path

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct
from decisions import AGAINST_FOR_SITE, AGAINST_IN_TREE_FOR_SITE, acknowledge_decisions
from stacks.keeping import kept_table
from stacks.on_call import notify_on_call

from serverless_patterns import Handler, LegacyBackend, MigratedRoute, Rollback, Shadow, StranglerGateway

CODE = Path(__file__).parent / "handlers"
# `cdk deploy -c old_site=https://...`; nobody is at this address.
OLD_SITE = "https://old-shop.example"


class Site(Stack):
    """Three routes are on their way. Everything else, the login too, is the old site's as before."""

    def __init__(self, scope: Construct, id: str, *, old_site: str = OLD_SITE) -> None:
        super().__init__(scope, id, description="Shop: its site, which moves out of the old server")
        notify_on_call(self, "Shop's site: on call")
        profiles = kept_table(self, "Profiles", "customer_id")
        catalogue = kept_table(self, "Catalogue", "catalogue")
        basket_lines = kept_table(self, "BasketLines", "line_id")
        # The old site signs its cookies with this key. Whoever runs that puts it here, and only then raises a route.
        session_key = secretsmanager.Secret(self, "SessionKey")
        knows_visitors = {"SESSION_KEY": session_key}
        self.gateway = StranglerGateway(
            self,
            "Site",
            auth="legacy",
            legacy=LegacyBackend(old_site),
            routes=[
                MigratedRoute(
                    "GET /profile/{id}",
                    Handler(CODE, "profiles:show", tables={"PROFILES": profiles}, secrets=knows_visitors),
                    stage="migrating",
                    shadow=Shadow(percent=5, compare=["$.name", "$.city"]),
                ),
                MigratedRoute(
                    "GET /catalogue",
                    Handler(CODE, "catalogue:search", tables={"CATALOGUE": catalogue}),
                    stage="migrating",
                    rollback=Rollback(min_requests=20),  # visitors of a demo are few
                ),
                MigratedRoute(
                    "POST /basket",
                    Handler(
                        CODE,
                        "baskets:add",
                        tables={"CATALOGUE": catalogue, "BASKET_LINES": basket_lines},
                        secrets=knows_visitors,
                    ),
                    stage="migrating",
                    idempotency="optional",  # the old site asks nobody for a key
                    timeout=Duration.seconds(20),  # nobody else may answer when it is late: it may have been done
                ),
            ],
        )
        outputs = {
            "Url": self.gateway.url,
            "SessionKeySecret": session_key.secret_arn,
            "CatalogueFunction": self.gateway.function_for("GET /catalogue").function_name,
            "ProfilesTable": profiles.table_name,
            "CatalogueTable": catalogue.table_name,
            "BasketLinesTable": basket_lines.table_name,
        }
        if self.gateway.control_function:
            outputs["RouteControl"] = self.gateway.control_function.function_name
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
        acknowledge_decisions(self, AGAINST_FOR_SITE, AGAINST_IN_TREE_FOR_SITE)
