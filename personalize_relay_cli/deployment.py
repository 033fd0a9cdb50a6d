"""The deployment that a command works on: a stage's stack, and its account's services."""

import os
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypedDict

from personalize_relay.errors import ConfigurationError
from personalize_relay.settings import Settings
from personalize_relay_cli.problems import Misuse, Problem, translating

type ClientFactory = Callable[[str], Any]
"""Makes the client of a service by its boto3 name; threads may share a client."""

_STAGE = re.compile(r"[A-Za-z0-9-]{1,100}")
"""What a stack's name may end with."""
_LAST_PORT = 65535
LONGEST_INVOCATION = 910.0
"""Seconds that an answer of Lambda may take: an invocation ends after 15 minutes."""


class Deployment:
    """One deployed stage, on AWS or on this machine."""

    def __init__(self, stage: str, client: ClientFactory) -> None:
        self.stage = stage
        self.client = client

    @property
    def stack(self) -> str:
        """The stack's name."""
        return f"personalize-relay-{self.stage}"

    def output(self, name: str) -> str:
        """An output of the stack; raises Problem where the stage isn't deployed."""
        if name not in self._outputs:
            raise Problem(f"the stack {self.stack} has no output {name}: deploy this version of it")
        return self._outputs[name]

    @property
    def stream(self) -> str:
        """The stream's name, or the ARN of one of another account; raises Problem as `output` does."""
        arn = self._outputs.get("StreamArn")
        return arn if arn and _account(arn) != _account(self.described["StackId"]) else self.output("StreamName")

    @property
    def function(self) -> str:
        """The function as its mapping invokes it, by its alias; raises Problem as `output` does."""
        return f"{self.output('FunctionName')}:{self.output('AliasName')}"

    @property
    def _outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.described.get("Outputs", [])}

    @cached_property
    def described(self) -> Mapping[str, Any]:
        """The stack, as CloudFormation describes it; raises Problem where it isn't there."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - as in problems

        with translating():
            try:
                (stack,) = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
                return dict(stack)
            except ClientError as exc:
                # CloudFormation has no code of its own for it.
                if "does not exist" not in str(exc):
                    raise
                message = f"the stack {self.stack} is not there: is it the right --stage, region and account?"
                raise Problem(message) from exc


def settings_of(function: Mapping[str, Any]) -> Settings:
    """The settings in a function's configuration, read as the function reads them; raises Problem."""
    try:
        return Settings.from_env(function.get("Environment", {}).get("Variables", {}))
    except ConfigurationError as exc:
        raise Problem(f"the function can't start: {exc}") from exc


def _account(arn: str) -> str:
    """The account that an ARN names."""
    return arn.split(":")[4]


class Naming(TypedDict, total=False):
    """A stream as Kinesis's calls take it: one of these."""

    StreamName: str
    StreamARN: str


def naming(stream: str) -> Naming:
    """A stream by its name, or by its ARN where that is given."""
    return {"StreamARN": stream} if stream.startswith("arn:") else {"StreamName": stream}


def connect(*, stage: str, local: bool, port: int, profile: str | None, region: str | None) -> Deployment:
    """The deployment that the options name; nothing is called yet."""
    if local and (profile or region):
        raise Misuse("--local is on this machine: leave --profile and --region out")
    if not _STAGE.fullmatch(stage):
        raise Misuse(f"--stage {stage!r}: a stage's name holds letters, digits and hyphens alone")
    if not 0 < port <= _LAST_PORT:
        raise Misuse(f"--port is a number from 1 to {_LAST_PORT}")
    return Deployment(stage, _on_this_machine(port) if local else _on_aws(profile, region))


def _on_this_machine(port: int) -> ClientFactory:
    from personalize_relay_cli.this_machine import client_factory  # noqa: PLC0415 - brings boto3 along

    return client_factory(f"http://127.0.0.1:{port}")


def _on_aws(profile: str | None, region: str | None) -> ClientFactory:
    import boto3  # noqa: PLC0415 - slow to import
    from botocore.config import Config  # noqa: PLC0415

    config = Config(connect_timeout=5, retries={"mode": "standard", "total_max_attempts": 5}, max_pool_connections=64)
    with translating():
        # boto3 by itself reads AWS_DEFAULT_REGION alone.
        session = boto3.session.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))

    patient = config.merge(Config(read_timeout=LONGEST_INVOCATION, tcp_keepalive=True))

    def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes each client's class as it runs
        try:
            with translating():
                return session.client(service, config=patient if service == "lambda" else config)
        except ValueError as exc:
            raise Misuse(f"{exc}: mend AWS_ENDPOINT_URL") from exc

    return client
