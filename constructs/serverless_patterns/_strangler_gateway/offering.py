"""What a gateway gives to the rest of an app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._api_proxy.known_routes import known, url_of
from .._checks import Problems
from .._grants import grant_ask
from .metrics import Measured

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_


class Offering(Measured):
    """A gateway's functions and addresses, as the construct has them."""

    url: str
    functions: Mapping[str, lambda_.IFunction]
    control_function: lambda_.IFunction | None

    def function_for(self, route: str) -> lambda_.IFunction:
        """The new side's function, of a route that is migrating or done: `GET /profile/{id}`."""
        return known(self, self.functions, route)

    def url_for(self, route: str, **parameters: object) -> str:
        """The address of a route, whatever its stage, its path's parameters filled in and encoded."""
        return url_of(self, self.url, known(self, self._routes, route)[1], parameters)

    def grant_control(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow what `serverless-patterns route` does: see how routes stand, and change that.

        Raises:
            ValueError: nothing goes through a router.
        """
        if self.control_function is None:
            problems = Problems(self.node.path)
            fix = "what is legacy's or done is changed by a deployment"
            problems.add("grant_control()", "find a route that is migrating", "none", fix)
            problems.raise_any()
            raise AssertionError
        return grant_ask(grantee, self.control_function)
