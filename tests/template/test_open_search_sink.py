"""Views of a CqrsTable in OpenSearch: what is deployed, and everything that is refused."""

import json
import re
from typing import Any

import pytest
from aws_cdk import Aws, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_opensearchservice as opensearch
from aws_cdk.assertions import Annotations, Match, Template

from serverless_patterns import DataApiSink, OpenSearchSink
from serverless_patterns_runtime.fan_out_topic.packed import unpacked
from tests.template.cqrs import a_function, by_customer, orders, revenue, sales
from tests.template.databases import a_cluster, a_data_api_sink, a_vpc
from tests.template.scanning import PACKS, findings, linted
from tests.template.stacks import new_stack, refusal

MAPPINGS = {"customer_id": {"type": "keyword"}, "note": {"type": "text"}}
GIVEN = {"index": "orders", "mappings": MAPPINGS}


def a_domain(stack: Stack, id: str = "Domain", **arguments: Any) -> Any:
    given = {
        "version": opensearch.EngineVersion.OPENSEARCH_2_19,
        "enforce_https": True,
        "node_to_node_encryption": True,
        "encryption_at_rest": opensearch.EncryptionAtRestOptions(enabled=True),
    }
    return opensearch.Domain(stack, id, **{**given, **arguments})


def a_domain_in(stack: Stack, vpc: Any, id: str = "Domain") -> Any:
    two = {
        "capacity": opensearch.CapacityConfig(data_nodes=2),
        "zone_awareness": opensearch.ZoneAwarenessConfig(availability_zone_count=2),
    }
    subnets = ec2.SubnetSelection(one_per_az=True, subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    return a_domain(stack, id, vpc=vpc, vpc_subnets=[subnets], **two)


def an_imported_domain(stack: Stack, id: str = "Theirs") -> Any:
    arn = "arn:aws:es:eu-central-1:111122223333:domain/shop"
    return opensearch.Domain.from_domain_attributes(stack, id, domain_arn=arn, domain_endpoint="search.example")


def functions(stack: Stack, handler: str) -> dict[str, Any]:
    name = f"serverless_patterns_runtime.cqrs_views.{handler}.lambda_handler"
    return Template.from_stack(stack).find_resources("AWS::Lambda::Function", {"Properties": {"Handler": name}})


def allowed(stack: Stack) -> dict[str, list[Any]]:
    """By function's policy, what of OpenSearch it may."""
    found: dict[str, list[Any]] = {}
    for name, policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").items():
        some = [one for one in policy["Properties"]["PolicyDocument"]["Statement"] if "es:ESHttp" in json.dumps(one)]
        if some:
            found[name] = some
    return found


@pytest.fixture
def stack() -> Stack:
    return new_stack()


def test_both_functions_are_told_of_the_domain_and_of_the_indexes(stack: Stack) -> None:
    by_customer(
        orders(stack), sink=OpenSearchSink(an_imported_domain(stack), settings={"refresh_interval": "5s"}, **GIVEN)
    )
    for handler in ("projector_handler", "rebuild_handler"):
        ((_, function),) = functions(stack, handler).items()
        told = json.loads(function["Properties"]["Environment"]["Variables"]["SINK_ByCustomer"])
        assert unpacked(told.pop("shape")) == {"mappings": MAPPINGS, "settings": {"refresh_interval": "5s"}}
        assert told == {"kind": "open-search", "endpoint": "https://search.example", "index": "orders"}
        assert "VpcConfig" not in function["Properties"]


def test_both_functions_may_do_what_the_indexes_of_this_name_need_and_no_more(stack: Stack) -> None:
    by_customer(orders(stack), sink=OpenSearchSink(an_imported_domain(stack), **GIVEN))
    arn = "arn:aws:es:eu-central-1:111122223333:domain/shop"
    policies = allowed(stack)
    assert len(policies) == 2
    for statements in policies.values():
        assert [(one["Resource"], one["Action"]) for one in statements] == [
            (f"{arn}/orders_g*", ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut"]),
            (f"{arn}/orders", "es:ESHttpGet"),
            (f"{arn}/_aliases", "es:ESHttpPost"),
        ]


def test_a_domain_in_a_vpc_lets_the_functions_in_and_nobody_else(stack: Stack) -> None:
    vpc = a_vpc(stack)
    domain = a_domain_in(stack, vpc)
    by_customer(orders(stack), sink=OpenSearchSink(domain, vpc=vpc, **GIVEN))
    for handler in ("projector_handler", "rebuild_handler"):
        ((_, function),) = functions(stack, handler).items()
        assert function["Properties"]["VpcConfig"]["SubnetIds"]
    rules = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroupIngress")
    assert [(rule["Properties"]["FromPort"], rule["Properties"]["ToPort"]) for rule in rules.values()] == [
        (443, 443)
    ] * 2
    assert all("SourceSecurityGroupId" in rule["Properties"] for rule in rules.values())


def test_views_elsewhere_share_a_projector_apart_from_those_in_dynamodb(stack: Stack) -> None:
    table = orders(stack)
    by_customer(table)
    cluster = a_cluster(stack, a_vpc(stack))
    searched = by_customer(table, "Searched", sink=OpenSearchSink(a_domain(stack), **GIVEN))
    reported = by_customer(table, "Reported", sink=a_data_api_sink(cluster))
    assert searched.projector_function is reported.projector_function
    assert searched.projector_function is not revenue(table).projector_function
    Template.from_stack(stack).resource_count_is("AWS::Lambda::EventSourceMapping", 2)


def test_all_that_fill_it_know_by_which_words_its_store_is_told_from_others(stack: Stack) -> None:
    by_customer(orders(stack), sink=OpenSearchSink(an_imported_domain(stack), **GIVEN))
    for handler in ("projector_handler", "rebuild_handler", "control_handler"):
        ((_, function),) = functions(stack, handler).items()
        told = json.loads(function["Properties"]["Environment"]["Variables"]["VIEW_TABLES"])
        assert told == {"ByCustomer": "open-search search.example orders"}


def test_a_view_that_moves_keeps_no_table_and_the_ids_of_the_others(stack: Stack) -> None:
    before = new_stack()
    by_customer(orders(before), sink=a_data_api_sink(a_cluster(before, a_vpc(before))))
    by_customer(orders(stack), sink=OpenSearchSink(a_domain(stack), **GIVEN))
    assert [*functions(stack, "projector_handler")] == [*functions(before, "projector_handler")]


def test_scanners_find_nothing_that_is_not_acknowledged(stack: Stack) -> None:
    before = new_stack()
    by_customer(orders(before))
    by_customer(orders(stack), sink=OpenSearchSink(an_imported_domain(stack), **GIVEN))
    for pack in PACKS:
        assert findings(stack, pack) == findings(before, pack)
    assert linted(stack) == []


NAMED = "be lower-case letters, digits, - and _, a letter first, up to 100"
REFUSED: list[tuple[dict[str, Any], str]] = [
    *(({"index": name}, f"index must {NAMED}, got {name!r}") for name in ("", "Orders", "_o", "a" * 101, "o*", 5)),
    ({"index": Aws.STACK_NAME}, f"index must {NAMED}"),
    ({"mappings": None}, "mappings must be a dictionary by name, got None"),
    ({"mappings": {"_row": {"type": "text"}}}, "mappings must name members of a row, without a _ in front, got '_row'"),
    ({"mappings": {"_id": {"type": "text"}}}, "mappings must name members of a row, without a _ in front, got '_id'"),
    (
        {"mappings": {"note": {"type": "text", "copy_to": "_row.source"}}},
        "mappings must leave _row alone, got _row in mappings",
    ),
    ({"mappings": {"note": "text"}}, "mappings must say a type or properties for each name, got 'note': 'text'"),
    ({"mappings": {"note": {}}}, "mappings must say a type or properties for each name, got 'note': {}"),
    ({"mappings": {"note": {"type": {1}}}}, "mappings must be JSON, got"),
    ({"settings": "2"}, "settings must be a dictionary by name, got a value of type str"),
    ({"settings": {"number_of_replicas": Aws.REGION}}, "settings must be known at synth, got a token"),
    ({"domain": "shop"}, "domain must be an opensearchservice.IDomain, got 'shop'"),
    ({"security_groups": "sg-1"}, "security_groups must be a list, got a value of type str"),
]


@pytest.mark.parametrize(("arguments", "text"), REFUSED)
def test_a_sink_that_cannot_be_is_refused(arguments: dict[str, Any], text: str, stack: Stack) -> None:
    given = {"domain": an_imported_domain(stack), **GIVEN, **arguments}
    said = refusal(lambda: OpenSearchSink(**given))
    assert text in said
    assert said.count("\n") == 0


def test_a_domain_is_reached_from_where_it_is(stack: Stack) -> None:
    vpc = a_vpc(stack)
    said = refusal(lambda: OpenSearchSink(a_domain(stack), vpc=vpc, **GIVEN))
    assert f"vpc must be left out, got {vpc.node.path}: the domain is reached from everywhere" in said
    inside = a_domain_in(stack, vpc, "Inside")
    said = refusal(lambda: OpenSearchSink(inside, **GIVEN))
    assert "vpc must be given, got None: the domain is in a VPC" in said
    other = a_function("by_customer", vpc=a_vpc(stack, "Other"))
    sink = OpenSearchSink(inside, vpc=vpc, **GIVEN)
    assert "project vpc must be the sink's" in refusal(lambda: by_customer(orders(stack), project=other, sink=sink))
    sink = OpenSearchSink(inside, vpc=vpc, vpc_subnets=ec2.SubnetSelection(), **GIVEN)
    same = a_function("by_customer", vpc=vpc)
    said = refusal(lambda: by_customer(orders(stack, "Two"), project=same, sink=sink))
    assert "sink vpc_subnets must be left out beside project vpc" in said


@pytest.mark.parametrize("version", ["ELASTICSEARCH_7_10", "OPENSEARCH_1_3", "OPENSEARCH_2_9", "OPENSEARCH_2_11"])
def test_a_domain_that_does_not_know_all_that_is_asked_is_refused(version: str, stack: Stack) -> None:
    older = a_domain(stack, version=getattr(opensearch.EngineVersion, version))
    said = refusal(lambda: OpenSearchSink(older, **GIVEN))
    assert re.search(
        f"domain must be of OpenSearch 2.12 or later, got {version.replace('_', '.')}", said, re.IGNORECASE
    )


@pytest.mark.parametrize("version", ["OPENSEARCH_2_13", "OPENSEARCH_3_1"])
def test_a_domain_of_a_later_version_is_taken(version: str, stack: Stack) -> None:
    OpenSearchSink(a_domain(stack, version=getattr(opensearch.EngineVersion, version)), **GIVEN)


def test_two_views_have_no_index_in_common(stack: Stack) -> None:
    table, domain = orders(stack), a_domain(stack)
    by_customer(table, "One", sink=OpenSearchSink(domain, **GIVEN))
    said = refusal(lambda: by_customer(table, "Two", sink=OpenSearchSink(domain, **GIVEN)))
    assert "sink index must be another than that of any other view, got that of 'One'" in said
    cluster = a_cluster(stack, a_vpc(stack))
    by_customer(table, "Three", sink=DataApiSink(cluster, database="shop", table="orders", secret=cluster.secret))


def test_rows_in_opensearch_are_not_read_by_what_reads_dynamodb(stack: Stack) -> None:
    table = orders(stack)
    view = by_customer(table, sink=OpenSearchSink(a_domain(stack), **GIVEN))
    for asked in (view.query, lambda: view.reader("ROWS"), lambda: view.table):
        assert "its rows are in the store of its sink: read them there" in refusal(asked)
    assert "got 'ByCustomer', whose rows are in its sink" in refusal(lambda: sales(table))


@pytest.mark.parametrize(
    ("id", "text"),
    [("roles", "has fine-grained access control: map the roles"), ("imported", "nothing here lets the functions")],
)
def test_what_the_domain_may_lack_is_said_at_synth(id: str, text: str, stack: Stack) -> None:
    if id == "roles":
        access = opensearch.AdvancedSecurityOptions(master_user_arn="arn:aws:iam::111122223333:role/admin")
        sink = OpenSearchSink(a_domain(stack, fine_grained_access_control=access), **GIVEN)
    else:
        sink = OpenSearchSink(an_imported_domain(stack), vpc=a_vpc(stack), **GIVEN)
    by_customer(orders(stack), sink=sink)
    Annotations.from_stack(stack).has_warning("*", Match.string_like_regexp(f".*{text}.*"))


@pytest.mark.parametrize("domain", [a_domain, an_imported_domain])
def test_more_mappings_than_a_variable_holds_are_refused_at_synth(domain: Any) -> None:
    stack = new_stack()
    mappings = {f"field_{number:03}_{number * 7919:08x}": {"type": "keyword"} for number in range(400)}
    table = orders(stack)
    by_customer(table, sink=OpenSearchSink(domain(stack), index="orders", mappings=mappings))
    assert table.projection is not None
    for function in table.projection.projectors[0].functions:
        (told,) = function.node.validate()
        assert told.startswith("views environment must hold at most 4,096 bytes of names and values, got ")
        assert told.endswith("; a sink's mappings count: map what is searched, and no more")
