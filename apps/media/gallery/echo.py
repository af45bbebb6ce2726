"""S3 may tell of an upload twice: a queue of the demo's own hears what the topic says, and some of it is said again."""

import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from showing.deployed import Clients

__all__ = ["Echo", "echo"]

QUEUE = "media-echo"


@dataclass
class Echo:
    sns: Any
    sqs: Any
    topic_arn: str
    queue_url: str

    def repeat(self, images: Iterable[str]) -> int:
        """Publish again what was said of these uploads; how many of them were heard of."""
        said = {image_of(body): body for body in self._heard()}
        again = [said[image] for image in images if image in said]
        for body in again:
            self.sns.publish(TopicArn=self.topic_arn, Message=body)
        return len(again)

    def _heard(self) -> Generator[str]:
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                yield message["Body"]
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])


@contextmanager
def echo(clients: Clients, topic_arn: str) -> Generator[Echo]:
    """In here all that is published is heard."""
    sns, sqs = clients.client("sns"), clients.client("sqs")
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    try:
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _lets_in(topic_arn, arn)})
        subscribed = sns.subscribe(
            TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )
        try:
            yield Echo(sns, sqs, topic_arn, url)
        finally:
            sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
    finally:
        sqs.delete_queue(QueueUrl=url)


def image_of(body: str) -> str:
    """Key of the uploaded object."""
    return json.loads(body)["detail"]["object"]["key"]


def _lets_in(topic_arn: str, queue_arn: str) -> str:
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
