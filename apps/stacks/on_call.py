"""Who is on call subscribes to a topic; without it the alarms would tell nobody."""

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from serverless_patterns import Defaults


def notify_on_call(stack: Stack, display_name: str) -> None:
    """From here on every alarm of the stack goes to its topic."""
    topic = sns.Topic(stack, "OnCall", display_name=display_name, enforce_ssl=True)
    # Its policy asks for TLS, and a topic that has a policy lets nobody publish that the policy does not name.
    alarms = iam.ServicePrincipal(
        "cloudwatch.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
    )
    topic.grant_publish(alarms)
    Defaults.of(stack).set(alarm_actions=[cloudwatch_actions.SnsAction(topic)])
