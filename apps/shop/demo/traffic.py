"""The messages of a bad day: every order, some of them twice, and among them what can never be fulfilled."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

from demo.stock import Opening
from demo.wholesale import Order

SENDERS = 4  # threads


@dataclass(frozen=True)
class Message:
    """One SQS message to be, and what has to become of it."""

    body: str
    work: str
    """The piece of work it stands for: two messages with the same work are duplicates."""
    kind: str
    """`order`, `impossible`, `contradiction`, `refused` or `malformed`."""

    @property
    def fits_the_schema(self) -> bool:
        """Whether the API accepts it; whatever else there is in a queue came past the API."""
        return self.kind in ("order", "impossible", "contradiction")

    @property
    def order(self) -> Order:
        """Raises ValueError when the body is malformed."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Sent:
    """A message that SQS has taken, from the API or past it."""

    correlation_id: str
    """Of the request; of a message that came past the API, its id."""
    at: float
    """Epoch seconds."""
    message: Message


@dataclass(frozen=True)
class Traffic:
    messages: Sequence[Message]

    def work(self, *kinds: str) -> set[str]:
        """The distinct pieces of work of these kinds."""
        return {message.work for message in self.messages if message.kind in kinds}

    def of_kind(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message.kind == kind]

    @property
    def for_the_api(self) -> list[Message]:
        return [message for message in self.messages if message.fits_the_schema]

    @property
    def past_the_api(self) -> list[Message]:
        """What the gateway refuses. Somebody else who may send to the queue need not be so careful."""
        return [message for message in self.messages if not message.fits_the_schema]


def plan(orders: Iterable[Order], opening: Opening, seed: int = 7, duplicates: float = 0.1) -> Traffic:
    """Every order once, a share of them twice, one contradicted, and the hopeless ones, all shuffled."""
    random = Random(seed)
    once = [_message(order, "order" if opening.can_fulfil(order) else "impossible") for order in orders]
    twice = random.sample(once, round(len(once) * duplicates))
    good = [message for message in once if message.kind == "order" and message not in twice]
    messages = [*once, *twice, _contradiction(random.choice(good)), *_refused(), *_malformed()]
    random.shuffle(messages)
    return Traffic(messages)


def send(sqs: Any, queue_url: str, messages: Sequence[Message]) -> list[Sent]:
    """Send them to the queue itself, all at once, ten per request."""

    def send_ten(ten: Sequence[Message]) -> list[Sent]:
        entries = [{"Id": str(number), "MessageBody": message.body} for number, message in enumerate(ten)]
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        if answer.get("Failed"):
            raise RuntimeError(f"SQS refused {answer['Failed']}")
        return [Sent(sent["MessageId"], time.time(), ten[int(sent["Id"])]) for sent in answer["Successful"]]

    with ThreadPoolExecutor(SENDERS) as senders:
        return [sent for ten in senders.map(send_ten, _tens(messages)) for sent in ten]


def _tens(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    return (messages[start : start + 10] for start in range(0, len(messages), 10))


def _message(order: Order, kind: str, work: str | None = None) -> Message:
    return Message(json.dumps(order, ensure_ascii=False), work or order["order_id"], kind)


def _contradiction(message: Message) -> Message:
    """The same order id with another content. Which of the two comes first is chance; the other one is refused."""
    order = message.order | {"freight": message.order["freight"] + 1}
    return _message(order, "contradiction", work=f"{order['order_id']} contradicted")


def _refused() -> list[Message]:
    """Sound JSON that the business rules refuse for good."""
    line = {"product_id": 1, "unit_price": 9.9, "quantity": 2, "discount": 0}
    orders = [
        {"order_id": "R1", "lines": []},
        {"order_id": "R2", "customer": {"name": 'Café "Sans Lignes"'}},
        {"order_id": "R3", "lines": [line | {"quantity": -4}]},
        {"order_id": "R4", "lines": [line | {"quantity": "two"}]},
        {"order_id": "R5", "lines": [line | {"discount": 1.5}]},
        {"order_id": "R6", "lines": ["12 x Plum Jam"]},
    ]
    return [_message(order, "refused") for order in orders]


def _malformed() -> list[Message]:
    """Bodies that no consumer could read, or that hold no order id."""
    bodies = [
        '{"order_id": "M1", "lines": [{"product_id": 1,',
        "Please send 12 jars of plum jam. Thanks, Zoë",
        '{"lines": [{"product_id": 1, "quantity": 1}]}',
        '{"order_id": "M4", "lines": [{"product_id": 1, "quantity": NaN}]}',
        '{"order_id": "M5", "order_id": "M6", "lines": []}',
        "[]",
        "null",
    ]
    return [Message(body, f"malformed {number}", "malformed") for number, body in enumerate(bodies, 1)]
