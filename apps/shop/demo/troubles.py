"""What can befall a checkout on purpose: at which step, what is broken, and how the saga has to end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from demo.provider.faults import Kind, Operation

SUCCEEDED, COMPENSATED = "SUCCEEDED", "COMPENSATED"
COMPENSATION_PARKED, FORWARD_PARKED = "COMPENSATION_PARKED", "FORWARD_PARKED"
ENDS = (SUCCEEDED, COMPENSATED, COMPENSATION_PARKED, FORWARD_PARKED)

RESERVE, MANAGER, CHARGE, SHIP = "ReserveStock", "Manager", "ChargeCard", "Ship"
STEPS = (RESERVE, CHARGE, SHIP)
COLUMNS = (RESERVE, MANAGER, CHARGE, SHIP)
"""With the approval, which leaves nothing to undo."""

APPROVED_UP_TO = 20_000  # cents; above it a manager decides
SDK_ATTEMPTS = 3  # of the deployed function; with fewer its SDK would hide from it what was lost
HELD_UP_SECONDS = 4.0
LATE_SECONDS = 5.0  # beyond the handlers' patience with the provider


@dataclass(frozen=True)
class AtProvider:
    """Something that is injected at the payment provider."""

    operation: Operation
    kind: Kind
    times: int | None = None
    """None: whenever it is asked."""
    seconds: float = 0


@dataclass(frozen=True)
class OnTheWire:
    """Something that befalls commits on their way to DynamoDB."""

    kind: Literal["lost", "refused", "held up"]
    step: str
    undo: bool = False
    """The step's compensation instead of its action."""
    times: int | None = None


@dataclass(frozen=True)
class Trouble:
    name: str
    step: str
    """At which it is, or whose compensation."""
    ends: Sequence[str]
    """Each of these is right."""
    breaks: Sequence[AtProvider | OnTheWire] = ()
    kills: bool = False
    """Every process of the step's function is killed while the step is held up."""
    out_of_stock: bool = False
    rejected: bool = False
    """By the manager, whom large checkouts need."""
    charged: bool | None = None
    """Whether the provider ever took the money; None: one or the other."""
    times: int = 2
    """How many of some hundreds of checkouts have it."""

    @property
    def label(self) -> str:
        return f"{self.step}: {self.name}" if self.step else self.name


_DECLINED = AtProvider("charge", "declines")
_CHARGED_WITHOUT_A_WORD = AtProvider("charge", "fails")

NONE = Trouble("nothing", "", [SUCCEEDED], charged=True)
TROUBLES = (
    Trouble("out of stock", RESERVE, [COMPENSATED], out_of_stock=True, charged=False, times=3),
    Trouble(
        "committed, answer lost", RESERVE, [SUCCEEDED], [OnTheWire("lost", RESERVE, times=SDK_ATTEMPTS)], charged=True
    ),
    Trouble(
        "killed in the midst of the commit",
        RESERVE,
        [SUCCEEDED],
        [OnTheWire("held up", RESERVE, times=1)],
        kills=True,
        charged=True,
        times=1,
    ),
    Trouble(
        "DynamoDB out of reach, every time", RESERVE, [COMPENSATED], [OnTheWire("refused", RESERVE)], charged=False
    ),
    Trouble("rejected", MANAGER, [COMPENSATED], rejected=True, charged=False),
    Trouble("declined", CHARGE, [COMPENSATED], [_DECLINED], charged=False),
    Trouble("charged, then 500, once", CHARGE, [SUCCEEDED], [AtProvider("charge", "fails", 1)], charged=True),
    Trouble("charged, then 500, every time", CHARGE, [COMPENSATED], [_CHARGED_WITHOUT_A_WORD], charged=True),
    Trouble(
        "charged, answer too late", CHARGE, [SUCCEEDED], [AtProvider("charge", "slow", 1, LATE_SECONDS)], charged=True
    ),
    Trouble(
        "charged after the time-out",
        CHARGE,
        [SUCCEEDED],
        [AtProvider("charge", "late", 1, LATE_SECONDS)],
        charged=True,
    ),
    Trouble("provider down, once", CHARGE, [SUCCEEDED], [AtProvider("charge", "down", 1)], charged=True),
    Trouble("provider down, every time", CHARGE, [COMPENSATED], [AtProvider("charge", "down")], charged=False),
    Trouble(
        "killed while the provider is asked",
        CHARGE,
        [SUCCEEDED],
        [AtProvider("charge", "slow", 1, HELD_UP_SECONDS)],
        kills=True,
        charged=True,
        times=1,
    ),
    Trouble(
        "declined, and the goods' return fails once",
        RESERVE,
        [COMPENSATED],
        [_DECLINED, OnTheWire("refused", RESERVE, undo=True, times=SDK_ATTEMPTS)],
        charged=False,
    ),
    Trouble(
        "declined, and the goods' return fails every time",
        RESERVE,
        [COMPENSATION_PARKED],
        [_DECLINED, OnTheWire("refused", RESERVE, undo=True)],
        charged=False,
    ),
    Trouble(
        "charged without a word, and the refund fails once",
        CHARGE,
        [COMPENSATED],
        [_CHARGED_WITHOUT_A_WORD, AtProvider("refund", "fails", 1)],
        charged=True,
    ),
    Trouble(
        "charged without a word, and no refund works",
        CHARGE,
        [COMPENSATION_PARKED],
        [_CHARGED_WITHOUT_A_WORD, AtProvider("refund", "down")],
        charged=True,
    ),
    Trouble("committed, answer lost", SHIP, [SUCCEEDED], [OnTheWire("lost", SHIP, times=SDK_ATTEMPTS)], charged=True),
    Trouble(
        "killed in the midst of the commit",
        SHIP,
        [SUCCEEDED],
        [OnTheWire("held up", SHIP, times=1)],
        kills=True,
        charged=True,
        times=1,
    ),
    Trouble("DynamoDB out of reach, every time", SHIP, [FORWARD_PARKED], [OnTheWire("refused", SHIP)], charged=True),
)
