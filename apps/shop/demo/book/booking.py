"""The order book from the first order on: many customers, a rebuild beneath them, one order that everybody wants."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from showing.fan_out import Struck
from showing.story import Story

from demo.book import ledger
from demo.book.counter import Counter
from demo.book.customers import Crowd, Customer, shown
from demo.book.orders import PRODUCTS, hot, life, scribbled
from demo.book.outcome import HOT, PAST, QUIET, REBUILD, TRAFFIC, Book, Progress
from demo.book.readers import Readers, Rows
from demo.book.views import Views
from demo.deployed import Shop
from serverless_patterns.testing import EmbeddedCloud, Fault, Injection

DESK = "desk-north"
AT_ONCE = 4  # who add to the same order
SMALL_PAGE = 3
VIEWS = 2
VICTIM = "B-c1-001"
SDK_ATTEMPTS = 3  # with fewer the SDK of a function would hide from it what was lost
REFUSALS = 4


@dataclass
class Booking:
    cloud: EmbeddedCloud
    shop: Shop
    views: Views
    tell: Callable[[str], None]
    customers: int = 3
    orders: int = 5
    """Of each customer, at least."""
    _progress: list[Progress] = field(default_factory=list[Progress])

    def play(self) -> Book:
        """What takes over a minute and a half is given up, and the checks tell."""
        story, begun = Story(self.tell), time.time()
        self.counter = Counter(self.shop.api, DESK, self.shop.desks.headers(DESK))
        self.views.sweep()
        story.wait(self.views.are_there, "the views to be there")
        early = [Customer(f"early-{n}", self.counter) for n in range(1, 3)]
        crowd = [Customer(f"c{n}", self.counter) for n in range(1, self.customers + 1)]
        with story.phase(TRAFFIC):
            with Crowd(early, 2):
                pass
            steady = {one.name: self._list(one.name) for one in early}
        faults = self._break()
        with Readers(self.counter, [*steady]) as readers, Crowd(crowd, self.orders), story.phase(REBUILD):
            begun_with = len(self.counter.entries)
            story.wait(lambda: len(self.counter.entries) >= begun_with + self._half(), "half of the commands")
            self._progress.append(replace(self.views.progress(), scanned=0, verified=0))  # were the first filling's
            self.views.rebuild()
            story.wait(self._rebuilt, "the view to be rebuilt")
        with story.phase(HOT):
            first, lines = hot()
            self.counter.send(first)
            with ThreadPoolExecutor(AT_ONCE) as people:
                list(people.map(self.counter.send, lines))
        with story.phase(PAST):
            scribbled = self._scribble(story)
        book = ledger.fold(self.counter.entries)
        with story.phase(QUIET):
            wanted = ledger.lists(book)
            story.wait(lambda: self._lists(wanted) == wanted, "the view to show the last line of each customer")
            story.wait(lambda: self._revenue() == ledger.revenue(book), "the totals to be those of all orders")
            story.wait(lambda: self.counter.sales() == ledger.dashboard(book), "the dashboard to be built")
        self._forge(crowd[0].name)
        seen = Book(
            lists=self._lists(wanted),
            revenue=self._revenue(),
            dashboard=self.counter.sales(),
            answers=self.counter.answers,
            asked_again=self.counter.asked_again,
            entries=self.counter.entries,
            replays=self.counter.replays,
            unlike=self.counter.unlike,
            orders=self.views.orders(),
            rows=self.views.live_rows(),
            looks=[look for one in (*early, *crowd) for look in one.looks],
            steady=steady,
            pages=readers.looks,
            progress=self._progress,
            lags=[lag for lag in self.views.lags() if lag.at >= begun],
            scribbled=scribbled,
            parked=self.views.parked(),
            struck=[Struck(name, how, injected.fired()) for name, (how, injected) in faults.items()],
            phases=story.phases,
        )
        self.tell(
            f"order book: {len(seen.entries)} commands for {len(book)} orders in {time.time() - begun:.1f} s,"
            " and a view rebuilt meanwhile"
        )
        return seen

    def _scribble(self, story: Story) -> int:
        """Change an order past the commands. How many changes are parked for it, before a command mends it."""
        before, after = scribbled()
        self.counter.send(before)
        self.views.scribble(before.order_id)
        story.wait(lambda: self.views.parked() == VIEWS, "the change to be parked for each view")
        parked = self.views.parked()
        self.counter.send(after)
        self.counter.order(after.order_id)
        self.views.retry()
        story.wait(lambda: not self.views.parked(), "what was parked to be done")
        return parked

    def _half(self) -> int:
        """Of the commands that customers give at least."""
        return sum(len(life(f"c{n}", 1)) for n in range(1, self.customers + 1)) * self.orders // 2

    def _rebuilt(self) -> bool:
        self._progress.append(self.views.progress())
        now = self._progress[-1]
        return now.phase in ("failed", "cancelled") or now.live != self._progress[0].live

    def _break(self) -> dict[str, tuple[str, Injection]]:
        """By name: what is broken on the wire, and its trap."""
        victim = f'length(TransactItems[?Put.Item.order_id.S == `"{VICTIM}"`]) > `0`'
        faults = {
            "Command's answer lost": (
                f"{VICTIM} was committed; the connection broke before the answer, and it was sent again",
                Fault.lost_answer("dynamodb", "TransactWriteItems", times=SDK_ATTEMPTS, body=victim),
            ),
            "Projector throttled": (
                "rows of the view were refused, again and again",
                Fault.throttled("dynamodb", "PutItem", times=REFUSALS, resource=self.views.view_table),
            ),
        }
        return {name: (how, self.cloud.faults.install(fault)) for name, (how, fault) in faults.items()}

    def _list(self, customer: str) -> Rows:
        """By small pages."""
        return {row["order_id"]: shown(row) for row in self.counter.rows(customer, limit=SMALL_PAGE)}

    def _lists(self, customers: Iterable[str]) -> dict[str, Rows]:
        return {customer: self._list(customer) for customer in customers}

    def _revenue(self) -> dict[int, dict[str, int]]:
        """Of each product that has any."""
        found: dict[int, dict[str, int]] = {}
        for product in PRODUCTS:
            told = self.counter.revenue(product).json
            amounts = {name: told[name] for name in ("cents", "pieces") if told.get(name)}
            if amounts:
                found[product] = amounts
        return found

    def _forge(self, customer: str) -> None:
        """A cursor that is the server's but for one character."""
        cursor = self.counter.page(customer, limit=1).said("cursor")
        forged = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
        self.counter.page(customer, (400,), cursor=forged, limit=1)
