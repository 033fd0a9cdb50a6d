"""The function's settings: read from the environment by the function, written to it by the stack."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from personalize_relay.errors import ConfigurationError

CLIENTS = ("curl", "boto3")
MAX_TRACKING_ID_LENGTH = 256
MAX_IN_FLIGHT_CEILING = 256
DEFAULT_MAX_IN_FLIGHT = 64
TRUE_OR_FALSE = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The function's settings; every field is one environment variable.

    Values that CloudFormation fills in later (such as a bucket of the same stack) pass the checks, because they are
    strings that are neither empty nor too long.
    """

    tracking_id: str
    """TRACKING_ID: the event tracker of events that name no tracker."""
    quarantine_bucket: str
    """QUARANTINE_BUCKET: the S3 bucket for rejected events."""
    quarantine_prefix: str = "quarantine/"
    """QUARANTINE_PREFIX: the key prefix in that bucket; it ends with a slash."""
    allowed_tracking_ids: tuple[str, ...] = ()
    """ALLOWED_TRACKING_IDS: further event trackers that an event may name, comma-separated."""
    max_in_flight: int = DEFAULT_MAX_IN_FLIGHT
    """MAX_IN_FLIGHT: how many PutEvents calls may be under way at once."""
    put_events_client: str = "curl"
    """PUT_EVENTS_CLIENT: which client makes the calls."""
    mapping: str = ""
    """MAPPING: the mapping of other payloads to events: a preset's name, or a file at the root of the function."""
    mapping_salt: str = field(default="", repr=False)
    """MAPPING_SALT: the salt of the mapping's `hash`; shown nowhere."""
    shadow: bool = False
    """SHADOW: whether the function does everything except the calls and the quarantine."""
    log_level: str = "INFO"
    """LOG_LEVEL: a level of Python's logging."""
    service: str = "personalize-relay"
    """POWERTOOLS_SERVICE_NAME: the `service` of every log line and metric."""
    metrics_namespace: str = "PersonalizeRelay"
    """POWERTOOLS_METRICS_NAMESPACE: the CloudWatch namespace of every metric."""

    def __post_init__(self) -> None:
        for name, tracker in (
            ("TRACKING_ID", self.tracking_id),
            *(("ALLOWED_TRACKING_IDS", tracker) for tracker in self.allowed_tracking_ids),
        ):
            _check(name, 1 <= len(tracker) <= MAX_TRACKING_ID_LENGTH, f"1 to {MAX_TRACKING_ID_LENGTH} characters")
        _check("QUARANTINE_BUCKET", self.quarantine_bucket, "the name of an S3 bucket")
        _check("QUARANTINE_PREFIX", self.quarantine_prefix.endswith("/"), "a key prefix that ends with a slash")
        _check("MAX_IN_FLIGHT", 1 <= self.max_in_flight <= MAX_IN_FLIGHT_CEILING, f"1 to {MAX_IN_FLIGHT_CEILING}")
        _check("PUT_EVENTS_CLIENT", self.put_events_client in CLIENTS, f"one of {', '.join(CLIENTS)}")
        _check("LOG_LEVEL", self.log_level in logging.getLevelNamesMapping(), "a level such as INFO or WARNING")
        _check("POWERTOOLS_SERVICE_NAME", self.service, "a name")
        _check("POWERTOOLS_METRICS_NAMESPACE", self.metrics_namespace, "a CloudWatch namespace")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; raises ConfigurationError naming the variable that is missing or wrong."""
        given = {name: environ[variable] for name, variable in _VARIABLES.items() if variable in environ}
        for name in ("tracking_id", "quarantine_bucket"):
            _check(_VARIABLES[name], name in given, "set: it has no default")
        return cls(
            tracking_id=given.pop("tracking_id"),
            quarantine_bucket=given.pop("quarantine_bucket"),
            allowed_tracking_ids=_split(given.pop("allowed_tracking_ids", "")),
            max_in_flight=_whole_number("MAX_IN_FLIGHT", given.pop("max_in_flight", DEFAULT_MAX_IN_FLIGHT)),
            shadow=_true_or_false("SHADOW", given.pop("shadow", "false")),
            **given,
        )

    def to_env(self) -> dict[str, str]:
        """Write the settings as the environment variables that `from_env` reads."""
        values = {name: getattr(self, name) for name in _VARIABLES}
        values["allowed_tracking_ids"] = ",".join(self.allowed_tracking_ids)
        values["shadow"] = str(self.shadow).lower()
        return {variable: str(values[name]) for name, variable in _VARIABLES.items()}


_VARIABLES = {
    "tracking_id": "TRACKING_ID",
    "quarantine_bucket": "QUARANTINE_BUCKET",
    "quarantine_prefix": "QUARANTINE_PREFIX",
    "allowed_tracking_ids": "ALLOWED_TRACKING_IDS",
    "max_in_flight": "MAX_IN_FLIGHT",
    "put_events_client": "PUT_EVENTS_CLIENT",
    "mapping": "MAPPING",
    "mapping_salt": "MAPPING_SALT",
    "shadow": "SHADOW",
    "log_level": "LOG_LEVEL",
    "service": "POWERTOOLS_SERVICE_NAME",
    "metrics_namespace": "POWERTOOLS_METRICS_NAMESPACE",
}


def _check(name: str, holds: object, rule: str) -> None:
    if not holds:
        raise ConfigurationError(f"{name} must be {rule}; set it in the function's environment")


def _split(listed: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in listed.split(",") if part.strip())


def _true_or_false(name: str, text: str) -> bool:
    _check(name, text in TRUE_OR_FALSE, f"one of {', '.join(TRUE_OR_FALSE)}")
    return TRUE_OR_FALSE[text]


def _whole_number(name: str, text: str | int) -> int:
    try:
        return int(text)
    except ValueError as exc:
        raise ConfigurationError(f"{name} must be a whole number; set it in the function's environment") from exc
