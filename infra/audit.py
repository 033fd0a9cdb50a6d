"""The answers to cdk-nag's findings; each stands beside the resource that the finding is about."""

from collections.abc import Iterable, Mapping

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk.aws_iam import PolicyStatement
from constructs import Construct


def acknowledge(construct: Construct, reasons: Mapping[str, str]) -> None:
    """Accept findings about a construct, each by its full id, with a reason; any other still fails the synth."""
    for rule, reason in reasons.items():
        Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def acknowledge_wildcards(role: Construct, statements: Iterable[PolicyStatement], reason: str) -> None:
    """Accept exactly those resources of the statements that end in a wildcard."""
    resources = {_written(role, resource) for each in statements for resource in each.resources}
    wildcards = {resource for resource in resources if resource.endswith("*")}
    acknowledge(role, {f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]": reason for resource in wildcards})
    acknowledge(role, {"Serverless::Serverless-LambdaStarPermissions": reason})


def _written(construct: Construct, resource: str) -> str:
    """A resource as cdk-nag writes it: `<Bucket.Arn>/quarantine/*` for a bucket of the stack."""
    resolved = Stack.of(construct).resolve(resource)
    if isinstance(resolved, str):
        return resolved
    parts = resolved["Fn::Join"][1] if "Fn::Join" in resolved else [resolved]
    return "".join(map(_part, parts))


def _part(part: object) -> str:
    match part:
        case str():
            return part
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case _:  # a resource without a wildcard
            return "<>"
