"""Scanner findings that are false by structure, acknowledged beside the resource, with the reason."""

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *rules: str) -> None:
    """Tell scanners that read the construct tree (cdk-nag) why these rules do not apply."""
    Validations.of(construct).acknowledge(*[Acknowledgment(id=rule, reason=reason) for rule in rules])


def acknowledge_in_template(resource: CfnResource, reason: str, *checks: str) -> None:
    """Tell scanners that read the template (checkov) why these checks do not apply."""
    resource.add_metadata("checkov", {"skip": [{"id": check, "comment": reason} for check in checks]})
