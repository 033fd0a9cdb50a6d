"""The stack's settings: one block per stage in cdk.json, any of them overridden by `-c name=value`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from infra.allowed import RENAMED, RULES
from infra.combinations import DEFAULT_CIDR, check
from infra.refusal import SECRETS, InvalidSetting, invalid
from personalize_relay.mapping_file import SUFFIX
from personalize_relay.settings import CLIENTS, DEFAULT_MAX_IN_FLIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """What one stage's stack may be told; in cdk.json and after `-c` each field is written in camelCase."""

    stage: str
    """The stage these settings are for."""
    tracking_id: str | None = None
    """The event tracker of events that name none."""
    tracking_id_parameter: str | None = None
    """Instead: the Systems Manager parameter that holds it, read at each deployment."""
    dataset_group: str | None = None
    """Instead: the name of a dataset group that the stack makes, with an interactions dataset and an event tracker."""
    dataset_group_domain: str | None = None
    """The domain of that group, for recommenders made for it; without it the group is a custom one."""
    interaction_fields: tuple[tuple[str, str], ...] = ()
    """Fields of that dataset beside Personalize's own, for your `properties`: as NAME:type, with commas. Personalize
    has room for eight of them and distinct event types together."""
    allowed_tracking_ids: tuple[str, ...] = ()
    """Further event trackers that an event may name: a list, or text with commas."""
    stream_arn: str | None = None
    """An existing stream of this region to read, of this account or another; without it the stack makes one."""
    stream_key_arn: str | None = None
    """The key of that stream, where it is encrypted with one that its owner made."""
    stream_shards: int | None = None
    """Shards of the stream that the stack makes; without it the stream is on-demand."""
    stream_retention_hours: int = 48
    """How long the stream keeps a record; with streamArn it must be given, as that stream has it."""
    producer_arns: tuple[str, ...] = ()
    """IAM roles and users that may write to the stream that the stack makes, of any account, and use its key for it.
    They must exist."""
    starting_position: datetime | None = None
    """The time a new mapping starts from; without it, or as TRIM_HORIZON, it starts at the oldest record."""
    batch_size: int = 1000
    """Records an invocation takes at most."""
    batch_window_seconds: int = 1
    """How long a batch may wait to fill up."""
    parallelization: int = 1
    """Invocations at once for each shard; over 1, order holds only among records of one partition key."""
    max_record_age_minutes: int = 720
    """The age from which the mapping stores a record in the bucket instead of retrying it."""
    bisect_on_error: bool = True
    """Whether the mapping halves a batch whose invocation failed."""
    memory_mb: int = 512
    """The function's memory, and with it its share of processor."""
    timeout_seconds: int = 60
    """How long an invocation may take."""
    architecture: str = "arm64"
    """The function's processor."""
    reserved_concurrency: int | None = None
    """Invocations that Lambda keeps for the function alone, and the most it gives it; without it, none and no limit."""
    max_in_flight: int = DEFAULT_MAX_IN_FLIGHT
    """PutEvents calls that an invocation may have under way at once."""
    put_events_client: str = CLIENTS[0]
    """What calls PutEvents: libcurl, or boto3 at several times the CPU."""
    mapping: str | None = None
    """What makes events of payloads of another form: a preset, or a file, packed with the function."""
    mapping_salt: str | None = field(default=None, repr=False)
    """What its `hash` mixes in: readable in the template and the function's configuration to whoever may read those."""
    shadow: bool = False
    """Whether nothing is delivered or quarantined: events are read, checked, counted and acknowledged."""
    log_level: str = "INFO"
    """The function's log level."""
    log_retention: RetentionDays = RetentionDays.ONE_MONTH
    """How long CloudWatch keeps the function's log."""
    vpc: str = "false"
    """Whether the function runs in a network of its own, without internet, which the stack makes with its endpoints.
    From true to false by way of leaving: [leave a network](operations.md#leave-a-network)."""
    vpc_zones: tuple[str, ...] = ()
    """The availability zones of that network, else the first two: Lambda and Personalize's events must be in each."""
    vpc_cidr: str = DEFAULT_CIDR
    """The addresses of that network."""
    vpc_id: str | None = None
    """An existing VPC for the function in its place. The stack makes a security group in it and no endpoint: from its
    subnets the services personalize-events and S3 must be within reach by HTTPS."""
    vpc_subnet_ids: tuple[str, ...] = ()
    """The subnets of that VPC, best in two zones."""
    silence_minutes: int = 60
    """How long no record may come before somebody is paged; 0 for never."""
    freshness_minutes: int = 15
    """How long a record may wait before it makes a ticket."""
    page_topic_arn: str | None = None
    """An existing SNS topic that pages go to; without it the stack makes one."""
    ticket_topic_arn: str | None = None
    """An existing SNS topic that tickets go to; without it the stack makes one."""
    alarm_email: str | None = None
    """An address that subscribes to the topics that the stack makes."""
    runbook_url: str | None = None
    """Where your people read docs/operations.md: an alarm's description ends with the link to its section there."""
    quarantine_expiry_days: int = 30
    """How long the bucket keeps an object."""
    customer_key: bool = False
    """Whether a key of your own, which the stack makes, encrypts its data; unset it only with an empty stream."""
    retain_data: bool = True
    """Whether the stream, the buckets, the logs, the key and the dataset group outlive the stack."""
    termination_protection: bool = True
    """Whether the stack refuses to be destroyed, until a deployment sets this to false."""

    def __post_init__(self) -> None:
        check(self)

    @property
    def removal_policy(self) -> RemovalPolicy:
        """Of data, when the stack goes; what a first deployment made that then failed goes in any case."""
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.retain_data else RemovalPolicy.DESTROY

    @property
    def in_network(self) -> bool:
        """Whether the function is in a network."""
        return self.vpc == "true"

    @property
    def keeps_network(self) -> bool:
        """Whether there is a network for it: Lambda may not have left it yet."""
        return self.vpc != "false"

    @property
    def mapping_path(self) -> Path | None:
        """The mapping's file, where it is no preset."""
        return Path(self.mapping) if self.mapping and self.mapping.endswith(SUFFIX) else None

    def public(self) -> dict[str, object]:
        """The value of each setting but the secrets, by the setting's name."""
        return {name: getattr(self, field_of(name)) for name in RULES if name not in SECRETS}

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Read the chosen stage's block and what `-c` overrides in it; raises InvalidSetting."""
        stage = _chosen_stage(context)
        given = context["stages"][stage] | _overrides(context)
        for name in given.keys() - RULES.keys():
            raise _unknown(name, stage)
        values = {field_of(name): _read(name, value, stage) for name, value in given.items() if value is not None}
        trackers = [name for name in ("tracking_id", "tracking_id_parameter", "dataset_group") if name in values]
        if len(trackers) != 1:
            rule = f"{RULES['trackingId'].says}, or trackingIdParameter or datasetGroup be set in its place"
            raise invalid("trackingId", rule, values.get(trackers[0]) if trackers else None, stage)
        if "stream_arn" in values and "stream_retention_hours" not in values:
            rule = f"given with streamArn: {RULES['streamRetentionHours'].says}, as that stream has it"
            raise invalid("streamRetentionHours", rule, None, stage)
        return cls(stage=stage, **values)


def _chosen_stage(context: Mapping[str, Any]) -> str:
    stages = context.get("stages", {})
    stage = context.get("stage")
    if stage not in stages:
        raise InvalidSetting(
            f"stage must be one of {', '.join(stages) or 'those in cdk.json'}, not {stage!r}; "
            "choose it by -c stage=…, or add its block to cdk.json under stages"
        )
    return str(stage)


def _overrides(context: Mapping[str, Any]) -> dict[str, Any]:
    # The CDK's own names hold a colon, a slash or a hyphen, so that any plain name is meant for us.
    return {name: value for name, value in context.items() if name.isidentifier() and name not in {"stage", "stages"}}


def _read(name: str, value: object, stage: str) -> Any:  # noqa: ANN401 - each rule reads a type of its own
    rule = RULES[name]
    try:
        return rule.read(_as_text(value))
    except (ValueError, KeyError) as exc:
        raise invalid(name, rule.says, value, stage) from exc


def _as_text(value: object) -> str:
    """Write a JSON value as `-c` would give it."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(name: str, stage: str) -> InvalidSetting:
    close = [RENAMED[name]] if name in RENAMED else get_close_matches(name, RULES, n=1)
    meant = close[0] if close else f"one of {', '.join(RULES)}"
    return InvalidSetting(f"{name} is not a setting; set {meant} in cdk.json under stages.{stage} or by -c name=…")


def field_of(name: str) -> str:
    """The field of a setting."""
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)
