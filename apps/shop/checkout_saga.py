"""The shop's checkout: goods set aside, card charged, parcel sent; or none of it."""

from pathlib import Path
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from serverless_patterns import ExternalKey, Handler, Retry, SagaApproval, SagaStateMachine, SagaStep

CODE = Path(__file__).parent / "handlers"
# The provider has four seconds to answer. Who dies while it is asked keeps others from asking for this long.
CARD_TIMEOUT = Duration.seconds(10)
PROVIDER_KEY = ExternalKey("{digest}", Duration.hours(24))  # as the provider's documentation promises
APPROVED_UP_TO = 20_000  # cents; above it a manager decides
# Somebody waits at the checkout: rather call it off within a minute than have it hang for an hour.
AT_THE_CHECKOUT = Retry(5, base_delay=Duration.seconds(1), longest_delay=Duration.seconds(4))
# Nobody waits for what is put right afterwards, or for the carrier: an outage of some hours is waited for.
BEHIND_THE_CHECKOUT = Retry(13, longest_delay=Duration.hours(1))


def checkout_saga(
    scope: Construct,
    *,
    checkouts: dynamodb.ITable,
    stock: dynamodb.ITable,
    managers_chat: str,
    payment_provider: str,
    patience: Retry = BEHIND_THE_CHECKOUT,
) -> SagaStateMachine:
    """`managers_chat` and `payment_provider` are URLs; `patience` is for what happens behind the checkout."""
    goods: dict[str, Any] = {"tables": {"CHECKOUTS": checkouts, "STOCK": stock}}
    card: dict[str, Any] = {"environment": {"PAYMENT_PROVIDER": payment_provider}, "timeout": CARD_TIMEOUT}
    return SagaStateMachine(
        scope,
        "Checkout",
        steps=[
            SagaStep(
                "ReserveStock",
                Handler(CODE, "checkout:reserve", **goods),
                compensation=Handler(CODE, "checkout:release", **goods),
                no_effect_errors=["OutOfStock"],
                retry=AT_THE_CHECKOUT,
                compensation_retry=patience,
            ),
            SagaApproval(
                "Manager",
                when=sfn.Condition.number_greater_than("$.saga.results.ReserveStock.amount", APPROVED_UP_TO),
                timeout=Duration.days(1),
                notify=Handler(
                    CODE,
                    "approvals:ask_manager",
                    environment={"MANAGERS_CHAT": managers_chat},
                ),
            ),
            # What is paid for is sent: no way back from here.
            SagaStep(
                "ChargeCard",
                Handler(CODE, "card:charge", **card),
                compensation=Handler(CODE, "card:refund", **card),
                no_effect_errors=["CardDeclined"],
                pivot=True,
                external_key=PROVIDER_KEY,
                settles_within=Duration.minutes(2),
                retry=AT_THE_CHECKOUT,
                compensation_retry=patience,
            ),
            SagaStep("Ship", Handler(CODE, "checkout:ship", tables={"CHECKOUTS": checkouts}), retry=patience),
        ],
    )
