"""`make demo`: the shop on the embedded cloud, a bad day for it, and a report of every order and every checkout.

Variables: ORDERS=<folder> takes the Northwind CSV files instead of invented orders, KEEP=1 leaves everything running.
"""

import os
import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # what all apps share

from demo import checks, northwind, report, wholesale
from demo.book.booking import Booking
from demo.book.views import Views
from demo.chat import Chat
from demo.console import Console
from demo.day import Day
from demo.deployed import Shop
from demo.move.moving import Moving
from demo.move.site import Site
from demo.placed.departments import Departments
from demo.placed.placing import Placing
from demo.provider.process import PaymentProvider
from legacy.process import LegacySite
from showing.page import write
from showing.playing import OUT, ROOT, play

from serverless_patterns.testing import EmbeddedCloud


def main() -> int:
    return play(Console(), _demo)


def _demo(console: Console) -> int:
    """0 when every check holds, else 1."""
    orders, names, about = _orders()
    console.tell(about)
    with ExitStack() as ending:
        cloud = ending.enter_context(EmbeddedCloud.start(faults=True, progress=console.tell))
        console.tell(f"embedded cloud at {cloud.endpoint_url}")
        provider, chat = ending.enter_context(PaymentProvider()), ending.enter_context(Chat())
        old_site = ending.enter_context(LegacySite(ledger=True))
        console.tell(f"payment provider at {provider.url}, old site at {old_site.url}")
        context = {"payment_provider": provider.url, "managers_chat": chat.url, "old_site": old_site.url}
        deployment = cloud.deploy(ROOT, context={**context, "impatient": "true"}, progress=console.tell)
        shop = Shop(cloud, deployment.outputs["Shop"], deployment.url("Shop/Api"))
        site = Site(cloud, deployment.outputs["ShopSite"], deployment.url("ShopSite/Site"))
        departments = Departments(cloud, deployment.outputs["Shop"])
        placing = Placing(cloud, shop, departments, console.tell)
        booking = Booking(cloud, shop, Views(cloud, deployment.outputs["Shop"]), console.tell)
        moving = Moving(cloud, site, old_site, console.tell)
        outcome = Day(cloud, shop, orders, names, provider, chat, placing, booking, console.tell, moving=moving).play()
        done = checks.check(outcome)
        about = f"{about} · embedded cloud on this machine · {datetime.now():%Y-%m-%d %H:%M}"
        page, _ = write(OUT, report.page(outcome, done, about), done)
        console.show(done, outcome, page.relative_to(ROOT))
        if os.environ.get("KEEP") == "1":
            ending.pop_all()
            stop = f"{cloud.detach()}; kill {provider.detach()} {old_site.detach()}"
            console.show_kept(cloud.endpoint_url, shop, site, stop)
    return 0 if all(check.ok for check in done) else 1


def _orders() -> tuple[list[wholesale.Order], dict[int, str], str]:
    """The orders, what their products are called, and a line about them."""
    if folder := os.environ.get("ORDERS"):
        orders, names = northwind.read_orders(Path(folder)), northwind.read_product_names(Path(folder))
        origin = "orders from CSV files"
    else:
        orders, names = wholesale.generate(), wholesale.product_names()
        origin = "invented orders"
    lines = sum(len(order["lines"]) for order in orders)
    return orders, names, f"{len(orders):,} {origin}, {lines:,} lines, {len(names)} products"


if __name__ == "__main__":
    sys.exit(main())
