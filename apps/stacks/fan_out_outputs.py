"""The names of what belongs to a topic with a fan-in, for who looks at it from outside."""

from collections.abc import Iterable, Iterator

from serverless_patterns import FanOutTopic, LoadLeveledQueue


def outputs_of(topic: FanOutTopic, subscribers: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names and values; the subscribers are functions or queues with a consumer."""
    assert topic.fan_in
    yield "FanInTable", topic.fan_in.table.table_name
    yield "FanInSweep", topic.fan_in.sweep_function.function_name
    yield from _of_queue("Completions", topic.fan_in.completions)
    for name in subscribers:
        subscriber = topic.subscribers[name]
        assert isinstance(subscriber.queue, LoadLeveledQueue)
        yield from _of_queue(name, subscriber.queue)
        yield f"{name}UndeliveredUrl", subscriber.dead_letter_queue.queue_url


def _of_queue(name: str, queue: LoadLeveledQueue) -> Iterator[tuple[str, str]]:
    yield f"{name}Function", queue.consumer_function.function_name
    yield f"{name}QueueUrl", queue.queue.queue_url
    yield f"{name}DeadLettersUrl", queue.dead_letter_queue.queue_url
