"""What a deployment consists of, as its services describe it: each asked once, whatever asks for it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from personalize_relay.settings import Settings
from personalize_relay_cli.deployment import Deployment, Naming, naming, settings_of
from personalize_relay_cli.health import function_log, readings
from personalize_relay_cli.health.diagnosis import Blocked
from personalize_relay_cli.health.function_log import Batch
from personalize_relay_cli.health.readings import Figure
from personalize_relay_cli.health.versions import Versions, versions
from personalize_relay_cli.problems import Problem, translating

LOOKED_BACK = timedelta(days=1)
HOUR = timedelta(hours=1)
_RECENT = 10
"""Batches that tell of what the function does now."""


class Deployed:
    """A deployment's parts; one that can't be had raises why, and from then on Blocked."""

    def __init__(self, deployment: Deployment, now: Callable[[], datetime]) -> None:
        self.deployment = deployment
        self.now = now
        self.client = cache(deployment.client)
        self._seen: dict[str, Any] = {}

    @property
    def identity(self) -> Mapping[str, Any]:
        """Who the credentials belong to."""
        return self._once("credentials", lambda: self.client("sts").get_caller_identity())

    @property
    def region(self) -> str:
        """The region that the services are asked in."""
        return str(self.client("sts").meta.region_name)

    @property
    def stack(self) -> Mapping[str, Any]:
        """The stack."""
        return self._once("stack", lambda: self.deployment.described)

    @property
    def stream(self) -> Mapping[str, Any]:
        """The stream's summary."""
        named = self.stream_parameter
        return self._once(
            "stream", lambda: self.client("kinesis").describe_stream_summary(**named)["StreamDescriptionSummary"]
        )

    @property
    def stream_parameter(self) -> Naming:
        """The stream as Kinesis's calls take it."""
        _ = self.stack  # as for an output
        return naming(self._once("output StreamName", lambda: self.deployment.stream))

    @property
    def mapping(self) -> Mapping[str, Any]:
        """The event source mapping."""
        uuid = self.output("EventSourceMappingId")
        return self._once("mapping", lambda: self.client("lambda").get_event_source_mapping(UUID=uuid))

    @property
    def mapping_as_deployed(self) -> Mapping[str, Any]:
        """The mapping's properties in the stack's template: what it is set to where nobody has changed it since."""
        _ = self.stack
        return self._once("template", self._read_mapping_in_template)

    @property
    def function(self) -> Mapping[str, Any]:
        """The function's configuration: that of the version that is live."""
        _ = self.stack  # as for an output
        name = self._once("output AliasName", lambda: self.deployment.function)
        return self._once("function", lambda: self.client("lambda").get_function_configuration(FunctionName=name))

    @property
    def versions(self) -> Versions:
        """The function's versions."""
        _ = self.function  # else one that isn't there would be another Problem
        return self._once("versions", lambda: versions(self.deployment))

    @property
    def settings(self) -> Settings:
        """The function's settings, read as the function reads them."""
        return self._once("settings", lambda: settings_of(self.function))

    @property
    def batches(self) -> Sequence[Batch]:
        """The last batches of a day's log, newest first."""
        group, now = self.output("LogGroupName"), self.now()
        return self._once("last batch", lambda: self._last_batches(group, now))

    @property
    def arrived(self) -> Figure:
        """The records that came into the stream in the last hour and in the one before.

        Of a stream of another account, where CloudWatch has no count of it here, those that the function received.
        """
        _ = self.stream_parameter
        signal = readings.arriving(self.deployment)
        return self._once(
            "arrivals", lambda: readings.read(self.client("cloudwatch"), [signal], HOUR, self.now())[signal.name]
        )

    @property
    def trackers(self) -> Sequence[Mapping[str, Any]]:
        """Every event tracker of the account in the region."""
        return self._once("tracker", self._describe_trackers)

    def ask(self, service: str, operation: str, **parameters: object) -> Any:  # noqa: ANN401 - what boto3 answers
        """Call a service."""
        with translating():
            return getattr(self.client(service), operation)(**parameters)

    def output(self, name: str) -> str:
        """An output of the stack."""
        _ = self.stack  # else a stack that isn't there would be another Problem for each output
        return str(self._once(f"output {name}", lambda: self.deployment.output(name)))

    def _read_mapping_in_template(self) -> Mapping[str, Any]:
        template = self.client("cloudformation").get_template(StackName=self.deployment.stack)["TemplateBody"]
        resources = template["Resources"].values()
        (mapping,) = [each for each in resources if each["Type"] == "AWS::Lambda::EventSourceMapping"]
        return dict(mapping["Properties"])

    def _last_batches(self, group: str, now: datetime) -> Sequence[Batch]:
        return function_log.latest(
            self.client("logs"), group, since=now - LOOKED_BACK, until=now, only=function_log.SETTLED, most=_RECENT
        )

    def _describe_trackers(self) -> Sequence[Mapping[str, Any]]:
        personalize = self.client("personalize")
        pages = personalize.get_paginator("list_event_trackers").paginate()
        arns = [each["eventTrackerArn"] for page in pages for each in page["eventTrackers"]]
        return [personalize.describe_event_tracker(eventTrackerArn=arn)["eventTracker"] for arn in arns]

    def _once[Answer](self, name: str, ask: Callable[[], Answer]) -> Answer:
        if isinstance(failed := self._seen.get(name), Problem):
            raise Blocked(f"the {name} must be right first") from failed
        if name not in self._seen:
            try:
                with translating():
                    self._seen[name] = ask()
            except Problem as exc:
                self._seen[name] = exc
                raise
        return cast("Answer", self._seen[name])
