"""What the function's role may do: asked of IAM, or else read in the role's own policies."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from personalize_relay_cli.problems import Problem, translating


@dataclass(frozen=True, slots=True)
class Need:
    """An action, and what it is done to."""

    action: str
    resource: str = "*"


@dataclass(frozen=True, slots=True)
class Allowance:
    """The needs that a role lacks, and how that was found out."""

    lacking: tuple[Need, ...]
    by: str


def allowance(iam: Any, role_arn: str, needs: Sequence[Need]) -> Allowance:  # noqa: ANN401 - a boto3 client
    """Simulate the role's policies, or read them where that isn't allowed; raises Problem where neither is."""
    try:
        with translating():
            return Allowance(tuple(need for need in needs if not _simulated(iam, role_arn, need)), "simulated by IAM")
    except Problem:
        with translating():
            statements = list(_statements(iam, role_arn.rpartition("/")[2]))
    return Allowance(tuple(need for need in needs if not allows(statements, need)), "read in the role's policies")


def allows(statements: Iterable[Mapping[str, Any]], need: Need) -> bool:
    """Whether these statements allow it; a condition is taken to hold for a denial, and not for an allowance."""
    matching = [each for each in statements if _covers(each, need)]
    if any("NotAction" in each or "NotResource" in each for each in matching):
        raise Problem("its policies have a NotAction or a NotResource, which only IAM itself can judge")
    return not any(each["Effect"] == "Deny" for each in matching) and any(
        each["Effect"] == "Allow" and not each.get("Condition") for each in matching
    )


def _simulated(iam: Any, role_arn: str, need: Need) -> bool:  # noqa: ANN401 - a boto3 client
    answer = iam.simulate_principal_policy(
        PolicySourceArn=role_arn, ActionNames=[need.action], ResourceArns=[need.resource]
    )
    return all(each["EvalDecision"] == "allowed" for each in answer["EvaluationResults"])


def _statements(iam: Any, role: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - a boto3 client
    for document in (*_inline(iam, role), *_attached(iam, role)):
        statements = document["Statement"]
        yield from statements if isinstance(statements, list) else [statements]


def _inline(iam: Any, role: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - a boto3 client
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]


def _attached(iam: Any, role: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - a boto3 client
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for arn in (each["PolicyArn"] for each in page["AttachedPolicies"]):
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            yield iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def _covers(statement: Mapping[str, Any], need: Need) -> bool:
    """Whether it says something of the need; one that names what it is not about may."""
    actions, resources = _listed(statement.get("Action", "*")), _listed(statement.get("Resource", "*"))
    return any(_matches(each.lower(), need.action.lower()) for each in actions) and any(
        _matches(each, need.resource) for each in resources
    )


def _listed(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given


def _matches(pattern: str, text: str) -> bool:
    """IAM's wildcards, which are not a shell's: a bracket is a bracket."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None
