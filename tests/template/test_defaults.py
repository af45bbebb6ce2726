"""Defaults hold below a scope; the nearest wins; an argument wins over all."""

import gc

import pytest
from aws_cdk import App, SecretValue, Stack, Stage
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from serverless_patterns import Defaults
from tests.template.stacks import a_handler, a_queue, new_stack, refusal, resources, the, the_queue, the_variables

WEEK, MONTH, YEAR = logs.RetentionDays.ONE_WEEK, logs.RetentionDays.ONE_MONTH, logs.RetentionDays.ONE_YEAR


def retention(stack: Stack) -> int:
    return the(stack, "Logs::LogGroup")["RetentionInDays"]


def test_a_choice_holds_for_all_that_is_below() -> None:
    app = App()
    Defaults.of(app).set(log_retention=WEEK)
    stage = Stage(app, "Production")
    stack = Stack(stage, "Shop")
    a_queue(Construct(stack, "Inside"))  # pyright: ignore[reportArgumentType]
    assert retention(stack) == 7


def test_the_nearest_scope_wins_for_each_key_alone() -> None:
    app = App()
    stack = Stack(app, "Shop")
    Defaults.of(app).set(log_retention=WEEK, environment={"MODE": "fast"})
    Defaults.of(stack).set(log_retention=YEAR)
    a_queue(stack)
    assert retention(stack) == 365
    assert the_variables(stack)["MODE"] == "fast"


def test_a_later_choice_in_one_scope_keeps_the_others() -> None:
    stack = new_stack()
    Defaults.of(stack).set(log_retention=WEEK)
    Defaults.of(stack).set(alarms="none")
    assert a_queue(stack).alarms == {}
    assert retention(stack) == 7


def test_a_neighbour_does_not_notice() -> None:
    app = App()
    here, there = Stack(app, "Here"), Stack(app, "There")
    Defaults.of(here).set(log_retention=WEEK)
    a_queue(there)
    assert retention(there) == 30


def test_another_app_does_not_notice() -> None:
    Defaults.of(new_stack()).set(log_retention=WEEK)
    stack = new_stack()
    a_queue(stack)
    assert retention(stack) == 30


def test_a_choice_outlives_the_python_object_of_its_scope() -> None:
    app = App()
    Defaults.of(Stage(app, "Production")).set(log_retention=WEEK)
    gc.collect()
    stack = Stack(app.node.find_child("Production"), "Shop")  # pyright: ignore[reportArgumentType]
    a_queue(stack)
    assert retention(stack) == 7


def test_an_argument_wins() -> None:
    stack = new_stack()
    theirs, ours = kms.Key(stack, "Theirs"), kms.Key(stack, "Ours")
    Defaults.of(stack).set(encryption_key=theirs, alarms="none", environment={"MODE": "fast"})
    queue = a_queue(stack, encryption_key=ours, alarms="critical", consumer=a_handler(environment={"MODE": "slow"}))
    assert the_queue(stack)["KmsMasterKeyId"] == stack.resolve(ours.key_arn)
    assert sorted(queue.alarms) == ["DeadLetters", "OldestMessage"]
    assert the_variables(stack)["MODE"] == "slow"


def test_no_alarm_actions_can_be_said_below_defaults() -> None:
    stack = new_stack()
    Defaults.of(stack).set(alarm_actions=[cloudwatch_actions.SnsAction(sns.Topic(stack, "OnCall"))])
    a_queue(stack, alarm_actions=[])
    for resource in resources(stack, "CloudWatch::Alarm").values():
        assert "AlarmActions" not in resource["Properties"]


def test_tracing_can_be_switched_off_with_its_permission() -> None:
    stack = new_stack()
    Defaults.of(stack).set(tracing=lambda_.Tracing.DISABLED)
    a_queue(stack)
    assert "TracingConfig" not in the(stack, "Lambda::Function")
    assert "xray" not in str(resources(stack, "IAM::Role"))


def test_layers_come_after_that_of_the_patterns() -> None:
    stack = new_stack()
    extra = lambda_.LayerVersion.from_layer_version_arn(stack, "L", "arn:aws:lambda:eu-west-1:111122223333:layer:x:1")
    Defaults.of(stack).set(layers=[extra])
    a_queue(stack)
    ours, theirs = the(stack, "Lambda::Function")["Layers"]
    assert theirs == "arn:aws:lambda:eu-west-1:111122223333:layer:x:1"
    assert "ServerlessPatternsRuntime" in ours["Ref"]


def test_an_unknown_key_is_told_with_the_nearest() -> None:
    assert refusal(lambda: Defaults.of(new_stack()).set(log_retenton=MONTH)) == (  # pyright: ignore
        "Defaults.of(Shop): set() must be given alarm_actions, alarms, log_retention, removal_policy, vpc, "
        "encryption_key, layers, environment, tracing, got 'log_retenton' (did you mean 'log_retention'?): "
        "correct the name"
    )


@pytest.mark.parametrize("value", ["some", None, True])
def test_an_unknown_set_of_alarms_is_refused(value: object) -> None:
    assert refusal(lambda: Defaults.of(App()).set(alarms=value)) == (  # pyright: ignore
        f"Defaults.of(the app): alarms must be one of 'all', 'critical', 'none', got {value!r}: "
        "'critical' keeps dead letters and age"
    )


def test_a_choice_that_comes_too_late_is_refused() -> None:
    stack = new_stack()
    a_queue(stack)
    assert refusal(lambda: Defaults.of(stack).set(alarms="none")) == (
        f"Defaults.of({stack.node.path}): set() must be called before anything below is defined, "
        "got a call after a construct: move the call up"
    )


def test_a_variable_that_is_no_text_is_refused_with_where_it_belongs() -> None:
    stack = new_stack()
    secret = SecretValue.secrets_manager("shop")
    assert refusal(lambda: Defaults.of(stack).set(environment={"KEY": secret})) == (  # pyright: ignore
        "Defaults.of(Shop): environment['KEY'] must be a string, got a SecretValue: "
        "pass secrets={'KEY': ...} to the Handler: the function gets the ARN and reads the value"
    )


def test_a_secret_s_value_in_a_variable_of_every_function_is_refused() -> None:
    stack = new_stack()
    Defaults.of(stack).set(environment={"KEY": SecretValue.secrets_manager("shop").unsafe_unwrap()})
    assert refusal(lambda: a_queue(stack)) == (
        "Shop/Fulfilment: environment['KEY'] of Defaults must be no secret, got a reference to one: "
        "pass secrets={...}: the function gets the ARN and reads the value"
    )
