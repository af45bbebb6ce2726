"""What scanners ask for, and an app has decided otherwise: the reasons go where scanners look."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import IConstruct

Reasons = Mapping[str, Mapping[str, str]]
"""By check or rule, by type of resource."""


def acknowledge(scope: IConstruct, against: Reasons, against_in_tree: Reasons) -> None:
    """Beside what the library acknowledges itself: reasons for Checkov in the template, for cdk-nag in the tree."""
    for construct in scope.node.find_all():
        if not isinstance(construct, CfnResource):
            continue
        if reasons := against.get(construct.cfn_resource_type):
            known = (construct.get_metadata("checkov") or {}).get("skip", [])
            decided = [{"id": check, "comment": reason} for check, reason in reasons.items()]
            construct.add_metadata("checkov", {"skip": [*known, *decided]})
        for rule, reason in against_in_tree.get(construct.cfn_resource_type, {}).items():
            Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
