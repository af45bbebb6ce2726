"""The demo in short: fewer orders, the same faults, every check."""

from pathlib import Path

import pytest
from app import IMPATIENT, SOON
from app import Shop as ShopStack
from aws_cdk import Duration
from demo import checks, wholesale
from demo.book.booking import Booking
from demo.book.views import Views
from demo.chat import Chat
from demo.day import Day
from demo.deployed import Shop
from demo.placed.departments import Departments
from demo.placed.placing import Placing
from demo.provider.process import PaymentProvider

from serverless_patterns.testing import Cloud, EmbeddedCloud


def test_every_check_of_the_demo_holds_with_its_faults_injected(
    embedded_cloud: Cloud, tmp_path: Path, fresh_name: str
) -> None:
    if not isinstance(embedded_cloud, EmbeddedCloud):
        pytest.skip("injects faults on the wire and kills processes, which only a cloud of our own lets us do")
    app = embedded_cloud.app(tmp_path / "cdk.out")
    told: list[str] = []
    with PaymentProvider() as provider, Chat() as chat:
        stack = ShopStack(
            app,
            fresh_name,
            # The shortest that leaves room for the SDK's retries: killed messages come back after six times this.
            fulfilment_timeout=Duration.seconds(3),
            payment_provider=provider.url,
            managers_chat=chat.url,
            checkout_patience=IMPATIENT,
            placed_deadline=SOON,
        )
        with embedded_cloud.deploy(app) as deployment:
            shop = Shop(embedded_cloud, deployment.outputs[fresh_name], deployment.url(stack.api))
            names = wholesale.product_names()
            departments = Departments(embedded_cloud, deployment.outputs[fresh_name])
            placing = Placing(embedded_cloud, shop, departments, told.append, orders=16)
            views = Views(embedded_cloud, deployment.outputs[fresh_name])
            booking = Booking(embedded_cloud, shop, views, told.append, customers=3, orders=3)
            orders = wholesale.generate(120)
            day = Day(embedded_cloud, shop, orders, names, provider, chat, placing, booking, told.append, checkouts=50)
            done = checks.check(day.play())
    assert [check for check in done if not check.ok] == [], "\n".join(told)
