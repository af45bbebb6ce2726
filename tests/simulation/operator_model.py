"""Somebody who redrives dead letters with the shipped command's core, and starts it again when it dies."""

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns.cli._clock import Clock
from serverless_patterns.cli._queues import Queues
from serverless_patterns.cli._redrive import Redrive
from serverless_patterns.cli._survey import survey

from .lambda_model import Sandbox
from .network import Client
from .world import World

__all__ = ["redrive"]

RUNS = 12
RATE = 50


def redrive(world: World) -> None:
    """Moves every dead letter back and lets the consumer work until nothing is left to do.

    Whoever died in the middle waits until SQS shows the messages again, and starts over. Each run moves what was
    there when it began, so what comes back to the dead-letter queue stays there.
    """
    before = {message.id for message in world.dead_letter_queue.messages}
    for number in range(RUNS):
        if not before & {message.id for message in world.dead_letter_queue.messages}:
            break
        _run(world, number)
    world.run()


def _run(world: World, number: int) -> None:
    sandbox = Sandbox(f"operator-{number}", world.schedule, world.chance.uniform(-1, 1), lambda dying: dying.die())
    # Longer than the longest time for which a dead run hides what it received.
    start = world.schedule.now + 3600
    world.schedule.at(start, lambda: sandbox.spawn(lambda: _redrive_once(world, sandbox)))
    world.run()


def _redrive_once(world: World, sandbox: Sandbox) -> None:
    sqs = Client(world.network, sandbox, "sqs")
    clock = Clock(now=sandbox.clock, sleep=sandbox.sleep)
    try:
        route = Queues(sqs, lambda: None).route(world.queue.url)
        found = survey(sqs, route, clock=clock)
        Redrive(sqs, route, found, rate=RATE, clock=clock).run()
    except (BotoCoreError, ClientError) as error:
        world.trace(sandbox.name, "gave up", type(error).__name__)
