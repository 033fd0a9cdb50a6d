"""The stack's settings: a block for each stage in cdk.json; `-c name=value` overrides a value."""

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
    """The settings of one stage's stack; in cdk.json and after `-c`, their names are in camelCase."""

    stage: str
    """The stage these settings are for."""
    tracking_id: str | None = None
    """The event tracker of events that don't name one. Set this, `trackingIdParameter` or `datasetGroup`."""
    tracking_id_parameter: str | None = None
    """A Systems Manager parameter that holds the event tracker's id; each deployment reads it."""
    dataset_group: str | None = None
    """The name of a dataset group that the stack creates, with an interactions dataset and a tracker."""
    dataset_group_domain: str | None = None
    """The domain of that group, whose recommenders it can then have. By default, the group is a custom one."""
    interaction_fields: tuple[tuple[str, str], ...] = ()
    """Fields of that dataset for your `properties`, besides Personalize's own. Personalize has room for eight of them
    and distinct event types together."""
    stream_arn: str | None = None
    """An existing stream of this region, of this account or another. By default, the stack creates a stream."""
    stream_key_arn: str | None = None
    """The key that encrypts that stream, if its owner manages the key."""
    producer_arns: tuple[str, ...] = ()
    """Existing IAM roles and users, of any account, that may write to the stack's own stream, with its key."""
    vpc: str = "false"
    """Whether the function runs in a network without internet, which the stack creates with its endpoints. Before
    false, deploy `leaving`: [leave a network](operations.md#leave-a-network)."""
    vpc_zones: tuple[str, ...] = ()
    """The availability zones of that network, which must have Lambda and Personalize's events. By default, the first
    two."""
    vpc_cidr: str = DEFAULT_CIDR
    """The address range of that network."""
    vpc_id: str | None = None
    """An existing VPC for the function, instead. The stack creates a security group in it, but no endpoint: its subnets
    must reach the services personalize-events and S3 by HTTPS."""
    vpc_subnet_ids: tuple[str, ...] = ()
    """The subnets of that VPC, preferably in two zones."""
    page_topic_arn: str | None = None
    """An existing SNS topic for pages. By default, the stack creates one."""
    ticket_topic_arn: str | None = None
    """An existing SNS topic for tickets. By default, the stack creates one."""
    alarm_email: str | None = None
    """An address that the stack subscribes to the topics that it creates."""
    customer_key: bool = False
    """Whether the stack creates a key of yours that encrypts its data. Turn it off only while the stream is empty."""
    termination_protection: bool = True
    """Whether CloudFormation refuses to delete the stack, until you deploy false."""

    def __post_init__(self) -> None:
        check(self)

    @property
    def in_network(self) -> bool:
        """Whether the function is in a network."""
        return self.vpc == "true"

    @property
    def keeps_network(self) -> bool:
        """Whether the stack keeps a network for the function: Lambda may not have left it yet."""
        return self.vpc != "false"

    def public(self) -> dict[str, object]:
        """The values of all settings except the secrets, by name."""
        return {name: getattr(self, field_of(name)) for name in RULES if name not in SECRETS}

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Read the block of the chosen stage, with the overrides of `-c`; raises InvalidSetting."""
        stage = _chosen_stage(context)
        given = context["stages"][stage] | _overrides(context)
        for name in given.keys() - RULES.keys():
            raise _unknown(name, stage)
        values = {field_of(name): _read(name, value, stage) for name, value in given.items() if value is not None}
        trackers = [name for name in ("tracking_id", "tracking_id_parameter", "dataset_group") if name in values]
        if len(trackers) != 1:
            rule = f"{RULES['trackingId'].says}, or trackingIdParameter or datasetGroup be set instead"
            raise invalid("trackingId", rule, values.get(trackers[0]) if trackers else None, stage)
        if "stream_arn" in values and "stream_retention_hours" not in values:
            rule = f"given with streamArn: {RULES['streamRetentionHours'].says}, the retention of that stream"
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
    # The CDK's own names hold a colon, a slash or a hyphen, so any plain name is meant for us.
    return {name: value for name, value in context.items() if name.isidentifier() and name not in {"stage", "stages"}}


def _read(name: str, value: object, stage: str) -> Any:  # noqa: ANN401 - each rule reads a type of its own
    rule = RULES[name]
    try:
        return rule.read(_as_text(value))
    except (ValueError, KeyError) as exc:
        raise invalid(name, rule.says, value, stage) from exc


def _as_text(value: object) -> str:
    """Write a JSON value as one would give it to `-c`."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(name: str, stage: str) -> InvalidSetting:
    close = [RENAMED[name]] if name in RENAMED else get_close_matches(name, RULES, n=1)
    meant = close[0] if close else f"one of {', '.join(RULES)}"
    return InvalidSetting(f"{name} is not a setting; set {meant} in cdk.json under stages.{stage} or by -c name=…")
