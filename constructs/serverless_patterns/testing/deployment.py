"""What `deploy` leaves: outputs and physical ids, and the way to take it down again."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from serverless_patterns.testing._assembly import Assembly
from serverless_patterns.testing.errors import CloudError
from serverless_patterns.testing.waiting import wait_until

if TYPE_CHECKING:
    from constructs import IConstruct
    from types_boto3_cloudformation import CloudFormationClient

__all__ = ["Deployment"]

DELETE_SECONDS = 300
STAGE = "AWS::ApiGateway::Stage"


class Deployment:
    """Deployed stacks; as a context manager, deleted at the end of the block."""

    def __init__(
        self,
        assembly: Assembly,
        stacks: Sequence[str],
        cloudformation: "CloudFormationClient",
        endpoint_url: str | None,
    ) -> None:
        self.stacks = tuple(stacks)
        """Names, each after those that it depends on."""
        self.is_destroyed = False
        self._assembly = assembly
        self._cloudformation = cloudformation
        self._endpoint_url = endpoint_url

    @classmethod
    def of(cls, assembly: Assembly, cloudformation: "CloudFormationClient", endpoint_url: str | None) -> "Deployment":
        """The stacks of an assembly that are there; `endpoint_url` is the emulator's, None on AWS."""
        pages = cloudformation.get_paginator("list_stacks").paginate()
        found = [stack for page in pages for stack in page["StackSummaries"]]
        there = {stack["StackName"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}
        stacks = [stack.name for stack in assembly.stacks if stack.name in there]
        return cls(assembly, stacks, cloudformation, endpoint_url)

    @cached_property
    def outputs(self) -> Mapping[str, Mapping[str, str]]:
        """By stack name and output key: `deployment.outputs["Shop"]["QueueUrl"]`."""
        return {name: self._outputs_of(name) for name in self.stacks}

    def physical_id(self, construct: "IConstruct | str") -> str:
        """The name, URL or ARN that the resource got: what `Ref` gives.

        Args:
            construct: Of the deployed app, or its path: "Shop/Fulfilment/Queue".

        Raises:
            LookupError: The deployed stacks have no such resource: an imported one, or another app's.
        """
        path = construct if isinstance(construct, str) else construct.node.path
        stack, logical_id = self._assembly.find(path)
        return self.physical_ids[stack.name][logical_id]

    def url(self, api: "IConstruct | str", *, stage: str | None = None) -> str:
        """Where a REST API answers, without a slash at its end: `requests.get(f"{deployment.url(shop.api)}/orders")`.

        CDK's own URL, as in an output, names a host that only AWS has.

        Args:
            api: The construct that is or holds the API, such as an `ApiProxy` or a `RestApi`; or its path.
            stage: Name of the stage; may be left out when the API has one.

        Raises:
            LookupError: The construct holds no REST API, or several; or the API has several stages, or none.
        """
        path = api if isinstance(api, str) else api.node.path
        stack, logical_id = self._assembly.only(path, "AWS::ApiGateway::RestApi")
        ids = self.physical_ids[stack.name]
        of_api = [id for id, of in stack.resources_of_type(STAGE).items() if of["RestApiId"] == {"Ref": logical_id}]
        names = [stage] if stage else [ids[id] for id in of_api]
        if len(names) != 1:
            raise LookupError(f"{path} has the stages {names}: name one by stage=")
        if self._endpoint_url:
            return f"{self._endpoint_url}/restapis/{ids[logical_id]}/{names[0]}/_user_request_"
        # The region, and in some regions the domain, are those of every other service.
        aws = self._cloudformation.meta.endpoint_url.removeprefix("https://cloudformation.")
        return f"https://{ids[logical_id]}.execute-api.{aws}/{names[0]}"

    @cached_property
    def functions(self) -> Mapping[str, str]:
        """Names of all Lambda functions, by stack and logical id: `{"Shop/Consumer1234": "Shop-Consumer1234-ABCD"}`."""
        return {
            f"{stack.name}/{logical_id}": self.physical_ids[stack.name][logical_id]
            for stack in self._assembly.stacks
            if stack.name in self.stacks
            for logical_id in stack.resources_of_type("AWS::Lambda::Function")
        }

    def destroy(self) -> None:
        """Delete the stacks, dependents first. What says RETAIN stays, as always.

        Raises:
            CloudError: CloudFormation could not delete one.
        """
        for name in reversed(self.stacks):
            self._cloudformation.delete_stack(StackName=name)
            wait_until(lambda name=name: self._is_gone(name), DELETE_SECONDS, f"stack {name} to be deleted")
        self.is_destroyed = True

    def __enter__(self) -> "Deployment":
        return self

    def __exit__(self, *error: object) -> None:
        self.destroy()

    @cached_property
    def physical_ids(self) -> Mapping[str, Mapping[str, str]]:
        """By stack name and logical id."""
        pages = self._cloudformation.get_paginator("list_stack_resources")
        return {
            name: {
                resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
                for page in pages.paginate(StackName=name)
                for resource in page["StackResourceSummaries"]
            }
            for name in self.stacks
        }

    def _outputs_of(self, name: str) -> Mapping[str, str]:
        (stack,) = self._cloudformation.describe_stacks(StackName=name)["Stacks"]
        return {output.get("OutputKey", ""): output.get("OutputValue", "") for output in stack.get("Outputs", [])}

    def _is_gone(self, name: str) -> bool:
        try:
            (stack,) = self._cloudformation.describe_stacks(StackName=name)["Stacks"]
        except self._cloudformation.exceptions.ClientError as error:
            if "does not exist" in str(error):
                return True
            raise
        if stack["StackStatus"] == "DELETE_FAILED":
            raise CloudError(f"stack {name} cannot be deleted: {stack.get('StackStatusReason', 'no reason given')}")
        return stack["StackStatus"] == "DELETE_COMPLETE"
