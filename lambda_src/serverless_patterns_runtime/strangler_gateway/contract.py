"""What `StranglerGateway` tells its functions, and what these keep in its table. Both sides import this.

Times in the table are epoch seconds.
"""

from typing import Literal, NamedTuple, NotRequired, TypedDict

ROUTER_HANDLER = "serverless_patterns_runtime.strangler_gateway.handler.lambda_handler"
CONTROL_HANDLER = "serverless_patterns_runtime.strangler_gateway.control_handler.lambda_handler"
SHADOW_HANDLER = "serverless_patterns_runtime.strangler_gateway.shadow_handler.lambda_handler"

ROUTES_FILE = "serverless_patterns_migration.json"
"""The whole code of each of the three functions: JSON of `Migration`."""

Side = Literal["legacy", "new"]

PERCENT_STEPS = 10_000
"""Into which callers are divided: a percentage has two decimals."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""What may be sent twice (RFC 9110, 9.2.1)."""

# The table. All routes as they stand are one query.

PARTITION_KEY = "kind"
SORT_KEY = "entry"
EXPIRES_AT = "expires_at"
"""Time to live (N): of pins, counts and history."""

ROUTES = "routes"
"""Kind of what was set for a route; the entry is the route. There is none before the first command or rollback."""
PERCENT = "percent"
"""On a route (N), 0 to 100: what holds unless it is killed."""
KILLED = "killed"
"""On a route (BOOL): legacy answers, whatever the percentage, until somebody clears it."""
GENERATION = "generation"
"""On a route (N): of the code for which it was set. Code of a higher one starts anew; what was set is then void."""
VERSION = "version"
"""On a route (N): rises with each change; a change names the one it has seen."""
BY, AT, REASON = "by", "at", "reason"
"""On a route and in its history (S, N, S): who, when and why."""
MISSING_SINCE = "missing_since"
"""On a route (N): when a sweep first saw that the code lists it no more. Any change of the route takes it away."""
REMOVED_KEPT_SECONDS = 604_800
"""For so long a route that the code lists no more keeps what was set: over a weekend, and a deployment too many."""

HISTORY = "history"
"""First part of the kind `history#ROUTE`; the entry is the time in ISO 8601 and a random part."""
HISTORY_SECONDS = 34_560_000
"""400 days: an entry goes by itself, so that nothing is left of a route that was removed."""
ACTION = "action"
"""In the history (S): `set`, `kill`, `clear`, `rollback` or `sweep`. There too: how the route stood after it, and
before:"""
WAS_PERCENT, WAS_KILLED = "was_percent", "was_killed"
"""In the history (N, BOOL)."""

PIN = "pin"
"""First part of the kind `pin#ROUTE#DIGEST`, of an `Idempotency-Key`; the entry is `pin`."""
SIDE = "side"
"""On a pin (S): where the key was first sent."""
PIN_SECONDS = 691_200
"""At least; a day longer than a function behind an API remembers a key and its answer by default."""

COUNT = "count"
"""First part of the kind `count#ROUTE`; the entry is `SECOND#GENERATION#VERSION`: when the window began, and of the
route as it then stood. So nothing that was counted before a change speaks against what holds after it."""
REQUESTS, ERRORS = "requests", "errors"
"""On a count (N): of the new side, as its routers reported them."""

ROLLBACK = "rollback"
"""Who has killed a route whose new side failed too often."""

SWEEP: Literal["sweep"] = "sweep"
"""Who has forgotten a route that the code lists no more; and what the control function is told to do once a day."""

# What functions are told.


class Env(NamedTuple):
    """Variables that the construct sets on the router and the shadow, and they read: exactly these."""

    LEGACY_URL: str
    """Where everything goes that is not answered by the new side: no slash at the end."""

    CONTROL_TABLE: str
    """Physical name."""

    BREAKER_TABLE: str
    """Physical name; partition key as in the contract of the circuit breaker. One breaker for each route."""

    TARGETS: str
    """JSON: what to invoke, a function's name or ARN, by the ids that `RouteSettings` use."""

    SHADOW_FUNCTION: str
    """Name; empty: no route has a shadow."""

    URL_SUFFIX: str
    """Of AWS's endpoints in this partition: `amazonaws.com`."""


class ControlEnv(NamedTuple):
    """Variables of the function that the command line asks: exactly these."""

    CONTROL_TABLE: str
    BREAKER_TABLE: str


class StickySettings(TypedDict):
    """What names a caller when the gateway's own cookie does not, in this order; all absent: the cookie alone."""

    claim: NotRequired[str]
    header: NotRequired[str]
    cookie: NotRequired[str]


class ShadowSettings(TypedDict):
    percent: float
    compare: list[str]
    """Fields of a JSON answer: `$.name`, `$.lines[*].price`."""
    declared: bool
    """Whether unsafe methods are copied too: the user has said that they may be."""


class RollbackSettings(TypedDict):
    max_error_percent: float
    min_requests: int
    window_seconds: int


class BreakerSettings(TypedDict):
    failure_threshold: int
    window_seconds: float
    open_seconds: float
    cache_seconds: float


CACHE_SECONDS = 5.0
"""How old what a router knows of its tables may be."""

BREAKER = BreakerSettings(failure_threshold=5, window_seconds=60.0, open_seconds=30.0, cache_seconds=CACHE_SECONDS)
"""Of every route."""


class NewSide(TypedDict):
    function: NotRequired[str]
    """Id in `TARGETS`. Either this or `url`."""
    url: NotRequired[str]
    """`https://profiles.example.com/v2/{id}`: a service of its own."""


class RouteSettings(NewSide):
    generation: int
    initial_percent: float
    timeout_seconds: float
    """Of the new side."""
    sticky: StickySettings
    fallback: bool
    """Whether legacy answers a safe request that the new side fails."""
    rollback: NotRequired[RollbackSettings]
    breaker: BreakerSettings
    shadow: NotRequired[ShadowSettings]


class Migration(TypedDict):
    """Everything that is decided before deployment."""

    gateway: str
    """Its name in metrics, and what its callers are divided by: data."""
    cookie: str
    """Name of the gateway's own."""
    cache_seconds: float
    """How old what is known of the table may be."""
    deadline_seconds: float
    """Within which API Gateway wants an answer."""
    max_body_bytes: int
    legacy_timeout_seconds: float
    legacy_headers: dict[str, str]
    """Added to what legacy is sent."""
    loopback: bool
    """The testing switch: upstreams may be on this machine, without TLS."""
    private: bool
    """Upstreams may have private addresses: the router is in a VPC."""
    base_path: str
    """Of the domain's mapping, which stands before every path: `/shop`; empty: none."""
    force_header: NotRequired[str]
    """With it a tester chooses the side."""
    pin_seconds: NotRequired[int]
    """Longer than the new side remembers a key. Default: `PIN_SECONDS`."""
    routes: dict[str, RouteSettings]
    """By route, `GET /profile/{id}`: those that are migrating."""
    done: NotRequired[dict[str, NewSide]]
    """By route: those that API Gateway sends to the new side itself, once a deployment has come to its stage. What it
    sends here until then is the new side's."""
    elsewhere: NotRequired[list[str]]
    """Routes that are done, and whose new side no router can ask."""
    legacy: NotRequired[list[str]]
    """Routes that are listed as legacy's: what was set for them is kept."""
    left: NotRequired[dict[str, str]]
    """What the API has besides, `ANY /orders/report`: the route whose requests these are; empty: they are legacy's, as
    is what is neither here nor above."""


class ShadowCopy(TypedDict):
    """What the router hands to the shadow."""

    route: str
    event: dict[str, object]
    """API Gateway's, with another `Idempotency-Key` in place of the caller's: a copy must not use up that one."""
    status: int
    """Legacy's."""
    fields: dict[str, object]
    """Of legacy's answer, by the paths to compare; absent where it has none. Of `$.a[*].b`, the list of all."""
