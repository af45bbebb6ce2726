"""Every filter that is refused at synth, with the whole text that the user reads; and what CloudFormation is told."""

import json
from decimal import Decimal
from typing import Any, cast

import pytest
from aws_cdk import App, CfnParameter, Stack, Token
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from serverless_patterns._checks import Problems
from serverless_patterns._fan_out_topic.filters import SCOPES, check_filter, written
from serverless_patterns_runtime import Message, matches

LABEL = "subscribers['Inventory'].filter"
LIST = "put it into a list:"
OPERATORS = "anything-but, cidr, equals-ignore-case, exists, numeric, prefix, suffix, wildcard"
NUMERIC = 'be ["=", 5], or one of <, <=, >, >= with a number, or > or >= with a number, then < or <= with one'
RANGE = 'write it as [">", 0, "<=", 150]'
TEXT = "be a string of at least one character"
BUT = "be a string or number, or a list of strings or of numbers"
NETWORK = "be a network with its mask"
AS_NETWORK = "write it as 10.0.0.0/24 or 2001:db8::/32"
NUMBER = "be a number from -1,000,000,000 to 1,000,000,000"
AS_TEXT = "compare it as text: publish it as a string"
COMPARE = "write what to compare with"
ALTERNATIVES = f"be a list of at least two policies, none of which has a name of {OPERATORS}"
AS_OR = 'write it as "$or": [{"kind": ["placed"]}, {"urgent": [True]}]; else SNS looks for a property called $or'
COMBINATIONS = (
    "have at most 150 combinations (the rules of each name times its depth, multiplied; alternatives are added)"
)
LESS = "split the subscriber, or match a prefix instead of a list of values"
POINTS = (
    "have wildcards of at most 100 points (of each name: 1 for a pattern with one *, else 3 for each *;"
    " added, times the number of patterns)"
)
ESCAPED = "escape quotes and backslashes: in this scope SNS compares the escaped text"


def words(count: int) -> list[str]:
    return [f"w{number}" for number in range(count)]


def refusal(filter: Any, scope: Any = "attributes") -> str:
    problems = Problems("Shop/Orders")
    check_filter(problems, LABEL, filter, scope)
    with pytest.raises(ValueError, match="Shop/Orders: ") as refused:
        problems.raise_any()
    return str(refused.value)


def passes(filter: Any, scope: Any = "attributes") -> bool:
    problems = Problems("Shop/Orders")
    check_filter(problems, LABEL, filter, scope)
    problems.raise_any()
    return True


ATTRIBUTES: list[tuple[Any, str, str, str, str]] = [
    ([], "", "be an object: lists of rules by name", "[]", 'write it as {"kind": ["placed"]}'),
    ({}, "", "name at least one property", "{}", "leave the filter out, and the subscriber gets every message"),
    (
        {name: ["x"] for name in words(6)},
        "",
        "have at most 5 keys at the top",
        "6 keys",
        "split the subscriber, or publish one attribute that says what it is about",
    ),
    ({"": ["x"]}, "", "have names that are texts", "''", "name a property of the message"),
    ({"kind": "placed"}, "kind", "be a list of rules", "'placed'", f"{LIST} ['placed']"),
    ({"kind": []}, "kind", "have at least one rule", "[]", "leave the name out, and any value will do"),
    ({"kind": {"prefix": "a"}}, "kind", "be a list of rules", "{'prefix': 'a'}", f'{LIST} [{{"prefix": "a"}}]'),
    (
        {"order": {"kind": ["placed"]}},
        "order",
        "be a list of rules: attributes have nothing inside",
        "{'kind': ['placed']}",
        'look into the body: filter_scope="body"',
    ),
    (
        {"kind": [["placed"]]},
        "kind[0]",
        "be a string, number, True, False, None or an object of one operator",
        "['placed']",
        "write one of those",
    ),
    ({"kind": [{"starts": "a"}]}, "kind[0]", f"have one of the operators {OPERATORS}", "'starts'", "use one of them"),
    (
        {"kind": [{"prefix": "a", "suffix": "b"}]},
        "kind[0]",
        "have one operator",
        "{'prefix': 'a', 'suffix': 'b'}",
        "make it two rules (either is enough), or one property of two names",
    ),
    (
        {"kind": ["x", {}]},
        "kind[1]",
        "have one operator",
        "{}",
        "make it two rules (either is enough), or one property of two names",
    ),
    ({"kind": [{"exists": "no"}]}, "kind[0].exists", "be True or False", "'no'", "write one of them"),
    ({"kind": [{"prefix": ""}]}, "kind[0].prefix", TEXT, "''", COMPARE),
    ({"kind": [{"suffix": 100}]}, "kind[0].suffix", TEXT, "100", COMPARE),
    ({"kind": [{"equals-ignore-case": ["a"]}]}, "kind[0].equals-ignore-case", TEXT, "['a']", COMPARE),
    (
        {"kind": [{"prefix": {"equals-ignore-case": "a"}}]},
        "kind[0].prefix",
        TEXT,
        "{'equals-ignore-case': 'a'}",
        COMPARE,
    ),
    ({"kind": [{"wildcard": ["a*"]}]}, "kind[0].wildcard", TEXT, "['a*']", COMPARE),
    ({"kind": [{"wildcard": "*a*b*c*"}]}, "kind[0].wildcard", "have at most 3 *", "'*a*b*c*'", "make it less exact"),
    (
        {"kind": [{"wildcard": "a**b"}]},
        "kind[0].wildcard",
        "have no two * in a row",
        "'a**b'",
        "one * is any number of characters",
    ),
    (
        {"kind": [{"wildcard": r"a\nb*"}]},
        "kind[0].wildcard",
        r"have a backslash only as \* or \\",
        r"'\\n'",
        "double the backslash to mean one",
    ),
    ({"ip": [{"cidr": "10.0.0.1"}]}, "ip[0].cidr", NETWORK, "'10.0.0.1'", AS_NETWORK),
    ({"ip": [{"cidr": "10.0.0.0/33"}]}, "ip[0].cidr", NETWORK, "'10.0.0.0/33'", AS_NETWORK),
    ({"ip": [{"cidr": 10}]}, "ip[0].cidr", NETWORK, "10", AS_NETWORK),
    ({"n": [{"numeric": []}]}, "n[0].numeric", NUMERIC, "[]", RANGE),
    ({"n": [{"numeric": 5}]}, "n[0].numeric", NUMERIC, "5", 'write it as {"numeric": [">", 0, "<=", 150]}'),
    ({"n": [{"numeric": [">="]}]}, "n[0].numeric", NUMERIC, "['>=']", RANGE),
    ({"n": [{"numeric": [1, "<="]}]}, "n[0].numeric", NUMERIC, "[1, '<=']", RANGE),
    ({"n": [{"numeric": ["!=", 1]}]}, "n[0].numeric", NUMERIC, "['!=', 1]", RANGE),
    ({"n": [{"numeric": ["<", 100, ">", 10]}]}, "n[0].numeric", NUMERIC, "['<', 100, '>', 10]", RANGE),
    ({"n": [{"numeric": [">=", 1, ">", 2]}]}, "n[0].numeric", NUMERIC, "['>=', 1, '>', 2]", RANGE),
    ({"n": [{"numeric": ["=", 1, "<", 2]}]}, "n[0].numeric", NUMERIC, "['=', 1, '<', 2]", RANGE),
    ({"n": [{"numeric": [">", 1, "<", 2, "<", 3]}]}, "n[0].numeric", NUMERIC, "['>', 1, '<', 2, '<', 3]", RANGE),
    ({"n": [{"numeric": [[">"], 1]}]}, "n[0].numeric", NUMERIC, "[['>'], 1]", RANGE),
    ({"n": [{"numeric": ["=", "5"]}]}, "n[0].numeric[1]", "be a number", "'5'", "write it without quotes"),
    ({"n": [{"numeric": [">", 1, "<", True]}]}, "n[0].numeric[3]", "be a number", "True", "write it without quotes"),
    (
        {"n": [{"numeric": [">", 3, "<", 1]}]},
        "n[0].numeric",
        "have its lower limit first, below the upper",
        "['>', 3, '<', 1]",
        "exchange them, or use =",
    ),
    ({"n": [{"numeric": ["<", 1e9 + 1]}]}, "n[0].numeric[1]", NUMBER, "1000000001.0", AS_TEXT),
    ({"n": [-1_000_000_001]}, "n[0]", NUMBER, "-1000000001", AS_TEXT),
    ({"n": [float("nan")]}, "n[0]", NUMBER, "nan", AS_TEXT),
    ({"n": [0.000001]}, "n[0]", "have at most five digits after the point: SNS sees no more", "1e-06", "round it"),
    ({"kind": [{"anything-but": []}]}, "kind[0].anything-but", BUT, "[]", "write one of those"),
    ({"kind": [{"anything-but": ["a", 1]}]}, "kind[0].anything-but", BUT, "['a', 1]", "write one of those"),
    ({"kind": [{"anything-but": True}]}, "kind[0].anything-but", BUT, "True", "write one of those"),
    ({"kind": [{"anything-but": [2e9]}]}, "kind[0].anything-but", NUMBER, "2000000000.0", AS_TEXT),
    (
        {"kind": [{"anything-but": {"suffix": "a"}}]},
        "kind[0].anything-but",
        "have prefix or wildcard inside, and nothing else",
        "{'suffix': 'a'}",
        'for a suffix write {"anything-but": {"wildcard": "*.tmp"}}',
    ),
    ({"kind": [{"anything-but": {"prefix": []}}]}, "kind[0].anything-but.prefix", "name at least one", "[]", COMPARE),
    ({"kind": [{"anything-but": {"prefix": ["a", 1]}}]}, "kind[0].anything-but.prefix", TEXT, "1", COMPARE),
    (
        {"kind": [{"anything-but": {"wildcard": "a**"}}]},
        "kind[0].anything-but.wildcard",
        "have no two * in a row",
        "'a**'",
        "one * is any number of characters",
    ),
    ({"$or": [{"kind": ["a"]}]}, "$or", ALTERNATIVES, "[{'kind': ['a']}]", AS_OR),
    ({"$or": ["a", "b"]}, "$or", ALTERNATIVES, "['a', 'b']", AS_OR),
    ({"$or": [{"prefix": ["a"]}, {"kind": ["b"]}]}, "$or", ALTERNATIVES, "[{'prefix': ['a']}, {'kind': ['b']}]", AS_OR),
    (
        {"$or": [{"kind": ["a"]}, {"n": []}]},
        "$or[1].n",
        "have at least one rule",
        "[]",
        "leave the name out, and any value will do",
    ),
    (
        {"$or": [{"kind": ["a"]}, {}]},
        "$or[1]",
        "name at least one property",
        "{}",
        "leave the filter out, and the subscriber gets every message",
    ),
    ({"kind": words(151)}, "", COMBINATIONS, "151", LESS),
    ({"kind": words(100), "place": words(51)}, "", COMBINATIONS, "5,100", LESS),
    (
        {  # 4 x 6 + 4 x 4 x 4 + 4 x 4 x 4
            "source": words(4),
            "$or": [{"a": words(6)}, {"b": words(4), "$or": [{"c": [1, 2, 3, 4]}, {"d": [1, 2, 3, 4]}]}],
        },
        "",
        COMBINATIONS,
        "152",
        LESS,
    ),
    (
        {"kind": [{"wildcard": f"{word}*x*"} for word in words(5)]},
        "",
        POINTS,
        "150",
        "match prefixes or suffixes where they do",
    ),
    (
        {"kind": ['say "x"']},
        "kind[0]",
        ESCAPED,
        "'say \"x\"'",
        r'''write \" for " and \\ for \, or look into the body: filter_scope="body"''',
    ),
    ({"kind": ["x" * 262_144]}, "", "have at most 262,144 bytes as JSON", "262,157 bytes", "split the subscriber"),
    (
        {"kind": [None]},
        "kind",
        "name values that CloudFormation can write",
        "None",
        "it has no null: leave the property out of the message and write {'exists': False}",
    ),
]


@pytest.mark.parametrize(("filter", "at", "must", "got", "fix"), ATTRIBUTES)
def test_a_filter_is_refused_with_its_place_and_the_fix(filter: Any, at: str, must: str, got: str, fix: str):
    place = f"{LABEL} at {at}" if at else LABEL
    assert refusal(filter) == f"Shop/Orders: {place} must {must}, got {got}: {fix}"


@pytest.mark.parametrize(
    "filter",
    [
        # 3 x 4, 2 x 3 and 3: as deep as they are
        {"a": {"b": {"c": words(4)}}, "d": {"e": words(3)}, "f": words(3)},
        {  # (3 + 2) x 2 x 2 x (2 + 6)
            "$or": [{"a": words(3)}, {"b": words(2)}],
            "detail": {"scope": words(2), "$or": [{"source": words(1)}, {"type": words(3)}]},
        },
    ],
)
def test_depth_counts_towards_the_combinations(filter: Any):
    assert COMBINATIONS in refusal(filter, "body")


def test_a_path_into_the_body_is_named_to_its_end():
    assert refusal({"detail": {"price": [{"numeric": ["<", "5"]}]}}, "body").startswith(
        f"Shop/Orders: {LABEL} at detail.price[0].numeric[1] must be a number"
    )


def test_everything_that_is_wrong_is_said_at_once():
    lines = refusal({"a": [], "b": [{"prefix": 1}], "c": ["fine"]}).splitlines()
    assert [line.split(" must ")[0].rsplit(" ", 1)[1] for line in lines] == ["a", "b[0].prefix"]


def test_a_scope_is_one_of_two():
    assert refusal({"kind": ["a"]}, "MessageBody") == (
        f"Shop/Orders: {LABEL} scope must be one of 'attributes', 'body', got 'MessageBody': say where the filter looks"
    )


@pytest.mark.parametrize(
    "filter",
    [
        None,
        {"kind": ["placed", 1, 1.5, True, False]},
        {"kind": words(150)},
        {name: ["x"] for name in words(5)},
        {"kind": ["x" * 262_131]},
        {"n": [-1_000_000_000, 1e9, 0.00001, Decimal("1.5")]},
        {"n": [{"numeric": [op, 5]} for op in ("=", "<", "<=", ">", ">=")]},
        {"n": [{"numeric": (">", 0, "<=", 150)}, {"numeric": [">=", -1, "<", 1]}]},
        {"kind": [{"anything-but": "a"}, {"anything-but": 1}, {"anything-but": ["a", "b"]}, {"exists": False}]},
        {"kind": [{"anything-but": {"prefix": "a"}}, {"anything-but": {"wildcard": ["a*", "*b"]}}]},
        {"kind": [{"prefix": "a"}, {"suffix": "b"}, {"equals-ignore-case": "c"}, {"wildcard": r"*a*\*b*"}]},
        {"ip": [{"cidr": "10.0.0.0/24"}, {"cidr": "2001:db8::/32"}]},
        {"kind": [r"say \"x\"", r"C:\\x"]},
        {"$or": [{"a": ["x"]}, {"b": ["y"], "c": ["z"]}], "d": ["e"]},
        {"source": words(3), "$or": [{"a": words(6)}, {"b": words(4), "$or": [{"c": words(4)}, {"d": words(7)}]}]},
    ],
)
def test_what_sns_takes_passes(filter: Any):
    assert passes(filter)


def test_the_body_may_be_looked_into():
    assert passes({"a": {"b": {"c": words(4)}}, "d": {"e": words(3)}, "quoted": ['say "x"']}, "body")


def test_only_keys_at_the_top_count():
    assert passes({"finding": {name: ["x"] for name in words(6)}}, "body")


def test_tokens_pass():
    stack = Stack(App(), "Stack")
    text = CfnParameter(stack, "Text").value_as_string
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    assert passes(
        {
            "kind": [text, {"prefix": text}, {"wildcard": text}, {"anything-but": [text, "x"]}],
            "n": [number, {"numeric": [">", number, "<", 5]}, {"numeric": ["=", number]}],
            "ip": [{"cidr": text}],
            "all": Token.as_list(text),
        }
    )


def test_the_cdks_own_filters_are_taken():
    colour = sns.SubscriptionFilter.string_filter(allowlist=["red"], match_prefixes=["bl"])
    price = sns.SubscriptionFilter.numeric_filter(between=sns.BetweenCondition(start=1, stop=2))
    filter = {"colour": colour, "price": price}
    assert passes(filter)
    assert written(filter) == {"colour": ["red", {"prefix": "bl"}], "price": [{"numeric": [">=", 1, "<=", 2]}]}
    nested = {"background": sns.FilterOrPolicy.policy({"colour": sns.FilterOrPolicy.filter(colour)})}
    assert passes(nested, "body")
    assert written(nested) == {"background": {"colour": ["red", {"prefix": "bl"}]}}
    assert "nothing inside" in refusal(nested)


@pytest.mark.parametrize("scope", ["attributes", "body"])
def test_a_filter_reaches_cloudformation_as_it_was_written(scope: str):
    filter = {
        "kind": ["placed", 1, 1.5, Decimal("2.50"), True, False, {"exists": False}, {"anything-but": ["a"]}],
        "n": [{"numeric": (">", 0, "<=", 0.00001)}],
        "$or": [{"a": [{"prefix": "x"}]}, {"b": [0]}],
    }
    stack = Stack(App(), "Stack")
    topic = sns.CfnTopic(stack, "Topic")
    sns.CfnSubscription(
        stack,
        "Subscription",
        topic_arn=topic.ref,
        protocol="sqs",
        endpoint="arn:aws:sqs:eu-west-1:123456789012:q",
        filter_policy=written(filter),
        filter_policy_scope=SCOPES[scope],
    )
    (found,) = Template.from_stack(stack).find_resources("AWS::SNS::Subscription").values()
    told = cast("dict[str, Any]", found["Properties"])
    assert told["FilterPolicyScope"] == {"attributes": "MessageAttributes", "body": "MessageBody"}[scope]
    assert json.loads(json.dumps(told["FilterPolicy"])) == {
        "kind": ["placed", 1, 1.5, 2.5, True, False, {"exists": False}, {"anything-but": ["a"]}],
        "n": [{"numeric": [">", 0, "<=", 0.00001]}],
        "$or": [{"a": [{"prefix": "x"}]}, {"b": [0]}],
    }


def test_a_filter_that_is_refused_at_synth_is_refused_by_a_test_of_it_too():
    with pytest.raises(ValueError, match=r"the filter at kind\[0\]\.prefix must be a string of at least one character"):
        matches({"kind": [{"prefix": ""}]}, Message({}))
