"""The alarm on dead letters that will be deleted: in time for whichever dead-letter queue it is."""

from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_sqs as sqs

from tests.template.stacks import a_queue, new_stack, the

LETTERS_ARN = "arn:aws:sqs:eu-west-1:111122223333:letters"
DAY = 86_400
DAYS, SECONDS = Duration.days, Duration.seconds
SEEN = "Dead letters will be deleted soon: redrive them, or let them go on purpose"
ASSUMED = (
    "Dead letters will be deleted soon if they are kept 14 days, which cannot be seen at synth: "
    "redrive them, or let them go on purpose"
)


def expiry_alarm(stack: Stack, **arguments: Any) -> tuple[int, str]:
    """Threshold in seconds, and what it says at night."""
    a_queue(stack, **arguments)
    alarm = the(stack, "CloudWatch::Alarm", "DeadLettersExpireAlarm")
    return alarm["Threshold"], alarm["AlarmDescription"]


def letters(stack: Stack, kept: Duration) -> sqs.IQueue:
    return sqs.Queue(stack, "Letters", retention_period=kept)


@pytest.mark.parametrize(
    ("kept", "source", "threshold"),
    [
        (DAYS(14), DAYS(4), 5 * DAY),
        (DAYS(6), DAYS(4), DAY),
        (DAYS(5), SECONDS(5 * DAY - 3600), 1800),
        (DAYS(5), SECONDS(5 * DAY - 1), 300),  # the metric is no finer
    ],
)
def test_it_fires_when_half_of_what_the_given_dead_letter_queue_leaves_is_gone(
    kept: Duration, source: Duration, threshold: int
) -> None:
    stack = new_stack()
    given = letters(stack, kept)
    assert expiry_alarm(stack, dead_letter_queue=given, retention_period=source) == (threshold, SEEN)


def test_the_dead_letter_queue_of_an_existing_queue_is_looked_at_too() -> None:
    stack = new_stack()
    after = sqs.DeadLetterQueue(queue=letters(stack, DAYS(8)), max_receive_count=5)
    queue = sqs.Queue(stack, "Existing", visibility_timeout=SECONDS(180), dead_letter_queue=after)
    assert expiry_alarm(stack, queue=queue) == (2 * DAY, SEEN)


def test_an_imported_dead_letter_queue_is_assumed_to_keep_14_days_and_the_alarm_says_so() -> None:
    stack = new_stack()
    imported = sqs.Queue.from_queue_arn(stack, "Letters", LETTERS_ARN)
    assert expiry_alarm(stack, dead_letter_queue=imported) == (5 * DAY, ASSUMED)


def test_a_token_is_assumed_to_be_14_days_and_the_alarm_says_so() -> None:
    stack = new_stack()
    kept = SECONDS(CfnParameter(stack, "Kept", type="Number").value_as_number)
    assert expiry_alarm(stack, dead_letter_queue=letters(stack, kept)) == (5 * DAY, ASSUMED)


def test_behind_an_imported_queue_half_a_day_is_left_whatever_the_dead_letter_queue_keeps() -> None:
    stack = new_stack()
    queue = sqs.Queue.from_queue_arn(stack, "Imported", LETTERS_ARN.replace("letters", "incoming"))
    given = letters(stack, DAYS(14))
    arguments = {"queue": queue, "queue_visibility_timeout": SECONDS(180), "dead_letter_queue": given}
    assert expiry_alarm(stack, **arguments) == (DAY // 2, SEEN)
