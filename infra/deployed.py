"""Reads the deployed template of a stack, with the credentials that the CDK command would use."""

import json
import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

NOT_THERE = ("REVIEW_", "ROLLBACK_", "CREATE_FAILED", "DELETE_")
"""How the status begins if a stack's first deployment failed or the stack is gone: the next deployment creates it."""


class Unreadable(Exception):
    """The deployed template can't be read; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class AccountOptions:
    """The options that choose an account; without them, the environment does."""

    profile: str | None = None
    region: str | None = None

    def session(self) -> boto3.session.Session:
        """A session with these options."""
        # By itself, boto3 reads only AWS_DEFAULT_REGION.
        return boto3.session.Session(profile_name=self.profile, region_name=self.region or os.environ.get("AWS_REGION"))


def deployed_template(stack: str, credentials: AccountOptions, *, role: str) -> dict[str, Any] | None:
    """The deployed template, or None if there is none; raises Unreadable.

    Credentials that may only assume the roles of `cdk bootstrap` read it with the deploy role.
    """
    try:
        session = credentials.session()
        try:
            return _template(session, stack)
        except ClientError as exc:
            if _code(exc) not in _DENIED:
                raise
        return _template(_in_role(session, role), stack)
    except (BotoCoreError, ClientError) as exc:
        raise Unreadable(
            f"The deployed template of {stack} can't be read, and nothing is changed: {_why(exc)}. Sign in, or choose "
            "another profile or region: AWS_PROFILE and AWS_REGION, or --profile and --region in ARGS."
        ) from exc


_DENIED = {"AccessDenied", "AccessDeniedException"}


def _code(failure: ClientError) -> str:
    return str(failure.response.get("Error", {}).get("Code", ""))


def _why(failure: BotoCoreError | ClientError) -> str:
    if isinstance(failure, ClientError):
        return f"{failure.operation_name} is refused ({_code(failure)})"
    return str(failure).rstrip(".")


def _template(session: boto3.session.Session, stack: str) -> dict[str, Any] | None:
    cloudformation = session.client("cloudformation")
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as exc:
        # CloudFormation has no error code for this.
        if "does not exist" in str(exc):
            return None
        raise
    if found["StackStatus"].startswith(NOT_THERE):
        return None
    body: Any = cloudformation.get_template(StackName=stack)["TemplateBody"]
    template: dict[str, Any] = body if isinstance(body, dict) else json.loads(body)
    return template


def _in_role(session: boto3.session.Session, role: str) -> boto3.session.Session:
    """A session of a role, whose ARN has the CDK's placeholders for partition, account and region."""
    sts = session.client("sts")
    region = str(session.region_name)
    known = {
        "Partition": session.get_partition_for_region(region),
        "AccountId": sts.get_caller_identity()["Account"],
        "Region": region,
    }
    for name, value in known.items():
        role = role.replace(f"${{AWS::{name}}}", value)
    lent = sts.assume_role(RoleArn=role, RoleSessionName="personalize-relay")["Credentials"]
    return boto3.session.Session(lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"], region)
