"""The stack's settings: one block per stage in cdk.json, any of them overridden by `-c name=value`."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from .allowed import RENAMED, RULES
from .combinations import DEFAULT_CIDR, check
from .refusal import SECRETS, InvalidSetting, field_of, invalid
from .relay_settings import RelaySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings(RelaySettings):
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
    stream_arn: str | None = None
    """An existing stream of this region to read, of this account or another; without it the stack makes one."""
    stream_key_arn: str | None = None
    """The key of that stream, where it is encrypted with one that its owner made."""
    producer_arns: tuple[str, ...] = ()
    """IAM roles and users that may write to the stream that the stack makes, of any account, and use its key for it.
    They must exist."""
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
    page_topic_arn: str | None = None
    """An existing SNS topic that pages go to; without it the stack makes one."""
    ticket_topic_arn: str | None = None
    """An existing SNS topic that tickets go to; without it the stack makes one."""
    alarm_email: str | None = None
    """An address that subscribes to the topics that the stack makes."""
    customer_key: bool = False
    """Whether a key of your own, which the stack makes, encrypts its data; unset it only with an empty stream."""
    termination_protection: bool = True
    """Whether the stack refuses to be destroyed, until a deployment sets this to false."""

    def __post_init__(self) -> None:
        check(self)

    @property
    def in_network(self) -> bool:
        """Whether the function is in a network."""
        return self.vpc == "true"

    @property
    def keeps_network(self) -> bool:
        """Whether there is a network for it: Lambda may not have left it yet."""
        return self.vpc != "false"

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
