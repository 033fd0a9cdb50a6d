"""How a relay works, whatever it is connected to."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aws_cdk import RemovalPolicy
from aws_cdk.aws_logs import RetentionDays

from personalize_relay.mapping_file import SUFFIX
from personalize_relay.settings import CLIENTS, DEFAULT_MAX_IN_FLIGHT

from .combinations import check_relay


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """What any relay may be told; raises InvalidSetting."""

    allowed_tracking_ids: tuple[str, ...] = ()
    """Further event trackers that an event may name: a list, or text with commas."""
    stream_shards: int | None = None
    """Shards of the stream that the stack makes; without it the stream is on-demand."""
    stream_retention_hours: int = 48
    """How long the stream keeps a record; with streamArn it must be given, as that stream has it."""
    starting_position: datetime | None = None
    """The time a new mapping starts from; without it, or as TRIM_HORIZON, it starts at the oldest record."""
    batch_size: int = 1000
    """Records an invocation takes at most."""
    batch_window_seconds: int = 1
    """How long a batch may wait to fill up."""
    parallelization: int = 1
    """Invocations at once for each shard; over 1, order holds only among records of one partition key."""
    max_record_age_minutes: int = 720
    """The age from which the mapping stores a record in the bucket instead of retrying it.

    Below 15 minutes a whole batch is stored for one event that PutEvents always fails on.
    """
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
    silence_minutes: int = 60
    """How long no record may come before somebody is paged; 0 for never."""
    freshness_minutes: int = 15
    """How long a record may wait before it makes a ticket."""
    runbook_url: str | None = None
    """Where your people read docs/operations.md: an alarm's description ends with the link to its section there."""
    quarantine_expiry_days: int = 30
    """How long the bucket keeps an object."""
    retain_data: bool = True
    """Whether the stream, the buckets, the logs, the key and the dataset group outlive the stack."""

    def __post_init__(self) -> None:
        check_relay(self, None)

    @property
    def removal_policy(self) -> RemovalPolicy:
        """Of data, when the stack goes; what a first deployment made that then failed goes in any case."""
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.retain_data else RemovalPolicy.DESTROY

    @property
    def mapping_path(self) -> Path | None:
        """The mapping's file, where it is no preset."""
        return Path(self.mapping) if self.mapping and self.mapping.endswith(SUFFIX) else None
