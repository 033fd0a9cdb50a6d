"""The fates of the events that one invocation was to deliver."""

from enum import StrEnum

import msgspec

from personalize_relay.events import Rejection, Source


class Cause(StrEnum):
    """Why an event is still undelivered at the end of an invocation."""

    CONFIGURATION = "configuration"
    DEADLINE = "deadline"


class Result(msgspec.Struct):
    """Each event's fate, in one of the first four members; and the calls and the time that it took."""

    delivered: set[Source] = msgspec.field(default_factory=set)
    rejected: dict[Source, Rejection] = msgspec.field(default_factory=dict)
    undelivered: dict[Source, Cause] = msgspec.field(default_factory=dict)
    shadowed: set[Source] = msgspec.field(default_factory=set)
    """The events that would have been delivered."""
    calls: int = 0
    retries: int = 0
    throttles: int = 0
    answers: int = 0
    seconds: float = 0.0
    """The sum of the times that the answers took."""
    configuration_errors: list[str] = msgspec.field(default_factory=list)
    """The error code of each call refused because of its tracker's configuration, and of each suspected tracker."""
    uncured_errors: list[str] = msgspec.field(default_factory=list)
    """The error codes of the requests that still failed at the end."""
