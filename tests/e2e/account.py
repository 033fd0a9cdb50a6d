"""An emulated account that people deploy to and destroy in: what is done to it, and what it then holds."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from aws_cdk import App

from infra.bundling import bundle
from infra.settings import StackSettings
from infra.stack import RelayStack
from local.emulator.cdk import Cdk
from local.emulator.clients import CREDENTIALS, REGION
from local.emulator.emulator import Emulator

ROOT = Path(__file__).parents[2]
CONTEXT: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
# The CDK command adds these: where each resource comes from is written beside it.
OF_COMMAND = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}
HOLDINGS = {
    "alarm": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    "bucket": ("s3", "list_buckets", "Buckets[].Name"),
    "dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    "function": ("lambda", "list_functions", "Functions[].FunctionName"),
    "key": ("kms", "list_keys", "Keys[].KeyId"),
    "log group": ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "mapping": ("lambda", "list_event_source_mappings", "EventSourceMappings[].UUID"),
    "role": ("iam", "list_roles", "Roles[].RoleName"),
    "stack": ("cloudformation", "describe_stacks", "Stacks[].StackName"),
    "stream": ("kinesis", "list_streams", "StreamNames[]"),
    "topic": ("sns", "list_topics", "Topics[].TopicArn"),
}
"""What a stack of the relay makes, as far as it is emulated: the service, the operation and the path that list it."""


def assemble(folder: Path, settings: Mapping[str, Any]) -> Path:
    """Write the cloud assembly that app.py writes with these settings after `-c`, without a process of its own."""
    app = App(context={**CONTEXT, **OF_COMMAND, **settings}, outdir=str(folder), analytics_reporting=False)
    read = StackSettings.from_context(app.node.get_all_context())
    code = bundle(root=ROOT, architecture=read.architecture, mapping=read.mapping_path)
    RelayStack(app, f"personalize-relay-{read.stage}", settings=read, code=code)
    app.synth()
    return folder


class Account:
    """The account that the emulator plays; `folder` is for what the CDK command writes."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator = emulator
        self.client = cast("Callable[[str], Any]", emulator.client)
        self._cdk = Cdk(emulator.endpoint, folder)
        self._folder = folder

    def bootstrap(self, assembly: Path) -> None:
        """Prepare it for deployments."""
        self._cdk.bootstrap(assembly)

    def deploy(self, assembly: Path) -> dict[str, str]:
        """Deploy an assembly, or update what was deployed to it; returns the stack's outputs."""
        return self._cdk.deploy_assembly(assembly)

    def make(self, target: str, stage: str, arguments: str) -> tuple[int, str]:
        """Run `make TARGET` as a person does; returns its status and what it printed."""
        here = {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.emulator.endpoint, "CDK_HOME": str(self._folder)}
        run = subprocess.run(  # noqa: S603 - our own commands
            ["make", target, f"STAGE={stage}", f"ARGS={arguments}"],  # noqa: S607 - as a shell finds it
            cwd=ROOT,
            env={**os.environ, **CREDENTIALS, **here, "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        return run.returncode, run.stdout

    def resources(self, stage: str) -> dict[str, str]:
        """The stage's resources, less the function's version: the physical id of each by its logical one.

        Each deployment that changes the function makes a version of its own.
        """
        found = self._all("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=_stack(stage))
        lasting = [each for each in found if each["ResourceType"] != "AWS::Lambda::Version"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in lasting}

    def holds(self) -> set[tuple[str, str]]:
        """All that it holds, by kind and name."""
        return {(kind, name) for kind, listed in HOLDINGS.items() for name in self._all(*listed)}

    def empty(self, bucket: str) -> None:
        """Delete every object of a bucket, in all its versions."""
        for each in self._all("s3", "list_object_versions", "Versions[]", Bucket=bucket):
            self.client("s3").delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])

    def is_protected(self, stage: str) -> bool:
        """Whether the stage's stack refuses to be deleted; a stack that isn't there doesn't."""
        stacks = self._all("cloudformation", "describe_stacks", "Stacks[]")
        return any(each["StackName"] == _stack(stage) and each["EnableTerminationProtection"] for each in stacks)

    def delete(self, stage: str) -> None:
        """Delete a stage's stack without the CDK, if it is there, though it be protected."""
        cloudformation = self.client("cloudformation")
        if self.is_protected(stage):
            cloudformation.update_termination_protection(EnableTerminationProtection=False, StackName=_stack(stage))
        cloudformation.delete_stack(StackName=_stack(stage))
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=_stack(stage), WaiterConfig={"Delay": 1})

    def _all(self, service: str, operation: str, path: str, **asked: str) -> list[Any]:
        found = self.client(service).get_paginator(operation).paginate(**asked).search(path)
        return [each for each in found if each is not None]  # None stands for a page without that member


def _stack(stage: str) -> str:
    return f"personalize-relay-{stage}"
