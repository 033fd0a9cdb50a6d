"""How the tests find things in a template, and write what it refers to."""

from typing import Any

from aws_cdk import Stack
from aws_cdk.assertions import Match, Template


def only(template: Template, kind: str, properties: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """The logical id and the body of the one resource of a kind with these properties."""
    found = template.find_resources(kind, {"Properties": properties} if properties else None)
    assert len(found) == 1
    return next((name, dict(body)) for name, body in found.items())


def arn(name: str) -> dict[str, Any]:
    """A resource's ARN, as a template writes it."""
    return {"Fn::GetAtt": [name, "Arn"]}


def under(name: str, path: str) -> dict[str, Any]:
    """A bucket's objects, as a template writes them."""
    return {"Fn::Join": ["", [arn(name), path]]}


def listed(value: object) -> list[Any]:
    """A policy's member, which is a list only where it holds several."""
    return value if isinstance(value, list) else [value]


def granted(template: Template) -> list[tuple[str, Any]]:
    """Each action that the function's role allows, with its resource; nothing but plain statements."""
    _, role = only(template, "AWS::IAM::Role", {"Policies": Match.any_value()})
    (policy,) = role["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    assert all(one.keys() == {"Action", "Effect", "Resource"} and one["Effect"] == "Allow" for one in statements)
    pairs = [
        (action, resource)
        for statement in statements
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]
    return sorted(pairs, key=str)


def warned(stack: Stack) -> list[str]:
    """What whoever deploys is warned of, by the stack and by all that is in it."""
    notes = [note for construct in stack.node.find_all() for note in construct.node.metadata]
    return [str(note.data) for note in notes if note.type == "aws:cdk:warning"]
