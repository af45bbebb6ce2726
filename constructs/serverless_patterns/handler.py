"""`Handler`: which business function runs, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from aws_cdk import aws_lambda as lambda_

from ._business_function import returns_effects
from ._checks import Problems
from ._effects_tables import check_tables
from ._environment import check_names, check_values
from ._grants_asked import check_grants
from ._requirements import check_requirements
from ._runtime import check_runtime, newest_runtime
from ._shapes import named, several

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_ssm as ssm

    from ._interfaces import Secret

__all__ = ["Handler"]

_MAX_TIMEOUT_SECONDS = 900  # Lambda quota
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Handler:
    """Describes a business function and how it runs. Immutable: each construct defines its own function from it.

    ```python
    Handler(Path(__file__).parent / "handlers", "orders:fulfil", tables={"ORDERS": orders})
    ```

    Args:
        code: Folder that becomes the function's code. A relative path is taken from the working directory.
        function: `module:function` inside that folder. It takes `(payload)` or `(payload, invocation)`; it is read by
            parsing its source, never imported. Annotated `-> Effects`, its writes are committed exactly once.
        tables: DynamoDB tables by logical name, as `Effects` name them: a variable and the grants for reads and writes
            of items. Indexes and scans: `grants`.
        secrets: Secrets by variable name: the variable holds the ARN, the function may read the value.
        parameters: SSM parameters by variable name: the variable holds the name, the function may read the value.
        grants: Called with the `lambda_.Function`, for permissions that nothing above gives.
        environment: Further variables. Never secrets: those go through `secrets`.
        requirements: Hash-locked requirements file, installed for the function's platform, wheels only.
        runtime: A Python runtime. Default: the newest that aws-cdk-lib knows.
        architecture: Default ARM: a fifth cheaper per GB-second than x86.
        memory_size: 128 to 10,240 MB. CPU grows with it.
        timeout: 1 to 900 seconds. Default: 30 on a queue, 25 behind an API, 5 in an authorizer.
        vpc: Where the function runs; it then needs routes to `required_endpoints`. Default: no VPC.
        vpc_subnets: Which subnets of the VPC. Default: those with a route out.
        security_groups: Default: one of its own, nothing in, everything out.
        reserved_concurrent_executions: 1 or more, taken from the account's pool. Default: none reserved.
        provisioned_concurrent_executions: 1 or more, kept warm and billed all day. Default: none.
        layers: At most four more layers.
        customize: Called last with the `lambda_.Function`, for what has no argument here.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    code: Path
    function: str
    tables: Mapping[str, dynamodb.ITable]
    secrets: Mapping[str, Secret]
    parameters: Mapping[str, ssm.IParameter]
    grants: tuple[Callable[[lambda_.Function], object], ...]
    environment: Mapping[str, str]
    requirements: Path | None
    runtime: lambda_.Runtime
    architecture: lambda_.Architecture
    memory_size: int
    timeout: Duration | None
    vpc: ec2.IVpc | None
    vpc_subnets: ec2.SubnetSelection | None
    security_groups: tuple[ec2.ISecurityGroup, ...]
    reserved_concurrent_executions: int | None
    provisioned_concurrent_executions: int | None
    layers: tuple[lambda_.ILayerVersion, ...]
    customize: Callable[[lambda_.Function], object] | None
    returns_effects: bool

    def __init__(
        self,
        code: str | PathLike[str],
        function: str,
        *,
        tables: Mapping[str, dynamodb.ITable] = MappingProxyType({}),
        secrets: Mapping[str, Secret] = MappingProxyType({}),
        parameters: Mapping[str, ssm.IParameter] = MappingProxyType({}),
        grants: Sequence[Callable[[lambda_.Function], object]] = (),
        environment: Mapping[str, str] = _NOTHING,
        requirements: str | PathLike[str] | None = None,
        runtime: lambda_.Runtime | None = None,
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        memory_size: int = 512,
        timeout: Duration | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] = (),
        reserved_concurrent_executions: int | None = None,
        provisioned_concurrent_executions: int | None = None,
        layers: Sequence[lambda_.ILayerVersion] = (),
        customize: Callable[[lambda_.Function], object] | None = None,
    ) -> None:
        describe = vars(self)  # frozen for everybody else
        describe["function"] = function
        problems = Problems(str(self))
        describe.update(
            code=Path(code).absolute(),
            tables=named(problems, "tables", tables, "'ORDERS': orders"),
            secrets=named(problems, "secrets", secrets, "'PASSWORD': secret"),
            parameters=named(problems, "parameters", parameters, "'LIMIT': parameter"),
            grants=several(problems, "grants", grants),
            environment=named(problems, "environment", environment, "'CURRENCY': 'EUR'"),
            requirements=None if requirements is None else Path(requirements).absolute(),
            runtime=runtime or newest_runtime(),
            architecture=architecture,
            memory_size=memory_size,
            timeout=timeout,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=several(problems, "security_groups", security_groups),
            reserved_concurrent_executions=reserved_concurrent_executions,
            provisioned_concurrent_executions=provisioned_concurrent_executions,
            layers=several(problems, "layers", layers),
            customize=customize,
            returns_effects=False,
        )
        describe["returns_effects"] = self._check_code(problems)
        self._check_numbers(problems)
        check_grants(self.grants, problems)
        check_names(self, problems)
        check_values(problems, self.environment)
        check_requirements(self.requirements, problems)
        check_runtime(self.runtime, problems)
        problems.raise_any()

    def __repr__(self) -> str:
        return f"Handler({self.function})"

    def _check_code(self, problems: Problems) -> bool:
        if not self.code.is_dir():
            fix = "relative paths start at the working directory; Path(__file__).parent / 'handlers' always works"
            problems.add("code", "be an existing folder", str(self.code), fix)
            return False
        effects = returns_effects(self.code, self.function, problems)
        if effects and not problems.have("tables"):
            check_tables(self.code, self.function, self.tables, problems)
        return effects

    def _check_numbers(self, problems: Problems) -> None:
        problems.whole_number("memory_size", self.memory_size, 128, 10_240, "megabytes; 512 is a good start")
        if self.timeout is not None:
            fix = "Lambda stops a function after 15 minutes"
            problems.duration("timeout", self.timeout, 1, _MAX_TIMEOUT_SECONDS, fix)
        for argument in ("reserved_concurrent_executions", "provisioned_concurrent_executions"):
            value = getattr(self, argument)
            if value is not None:
                problems.whole_number(argument, value, 1, 1_000_000, "leave it out for none")
