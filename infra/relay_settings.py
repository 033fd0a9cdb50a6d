"""The settings of a relay that hold wherever it is deployed."""

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
    """The settings of any relay; raises InvalidSetting."""

    allowed_tracking_ids: tuple[str, ...] = ()
    """More event trackers that an event may name in `trackingId`."""
    stream_shards: int | None = None
    """The number of shards of the stack's own stream. By default, the stream is on-demand."""
    stream_retention_hours: int = 48
    """How many hours the stream keeps a record. With `streamArn`, set it to the retention of that stream."""
    starting_position: datetime | None = None
    """The time at which Lambda starts to read a stream. By default, as with TRIM_HORIZON: at the oldest record."""
    batch_size: int = 1000
    """The most records in an invocation."""
    batch_window_seconds: int = 1
    """How many seconds a batch may wait for more records."""
    parallelization: int = 1
    """How many invocations may work on a shard at once. Above 1, order holds only within a partition key."""
    max_record_age_minutes: int = 720
    """The age at which Lambda stops retrying a record and stores it in the bucket. Below 15 minutes, Lambda stores a
    whole batch for one event that PutEvents always fails on."""
    bisect_on_error: bool = True
    """Whether Lambda halves a batch after a failed invocation."""
    memory_mb: int = 512
    """The function's memory, which also decides its share of a processor."""
    timeout_seconds: int = 60
    """How many seconds an invocation may take."""
    architecture: str = "arm64"
    """The function's processor."""
    reserved_concurrency: int | None = None
    """The concurrency that Lambda reserves for the function, which is also its limit. By default, there is neither."""
    max_in_flight: int = DEFAULT_MAX_IN_FLIGHT
    """How many PutEvents calls an invocation may have in flight."""
    put_events_client: str = CLIENTS[0]
    """The client that calls PutEvents: libcurl, or boto3, which takes several times the CPU."""
    mapping: str | None = None
    """The rules that make events of payloads of another form: a preset, or a file of yours."""
    mapping_salt: str | None = field(default=None, repr=False)
    """The key of the mapping's `hash`. Whoever may read the template or the function's configuration can read it."""
    shadow: bool = False
    """Whether the function only reads, checks and counts events, and delivers and quarantines none."""
    log_level: str = "INFO"
    """The function's log level."""
    log_retention: RetentionDays = RetentionDays.ONE_MONTH
    """How long CloudWatch keeps the function's log."""
    silence_minutes: int = 60
    """After how many minutes without a record the stack sends a page; 0 for never."""
    freshness_minutes: int = 15
    """After how many minutes of waiting a record makes the stack send a ticket."""
    runbook_url: str | None = None
    """The address where your people read docs/operations.md. Each alarm's description then ends with a link to it."""
    quarantine_expiry_days: int = 30
    """How many days the bucket keeps an object."""
    retain_data: bool = True
    """Whether the stream, the buckets, the logs, the key and the dataset group outlive the stack."""

    def __post_init__(self) -> None:
        check_relay(self, None)

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What becomes of data when the stack goes; a first deployment that fails deletes what it made in any case."""
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.retain_data else RemovalPolicy.DESTROY

    @property
    def mapping_path(self) -> Path | None:
        """The mapping's file, if the mapping isn't a preset."""
        return Path(self.mapping) if self.mapping and self.mapping.endswith(SUFFIX) else None
