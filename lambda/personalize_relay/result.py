"""What came of the events of one invocation's deliveries."""

from enum import StrEnum

import msgspec

from personalize_relay.events import Rejection, Source


class Cause(StrEnum):
    """Why an event is still undelivered at the end of an invocation."""

    CONFIGURATION = "configuration"
    DEADLINE = "deadline"


class Result(msgspec.Struct):
    """What came of each event: it is in one of the first four. And what it took."""

    delivered: set[Source] = msgspec.field(default_factory=set)
    rejected: dict[Source, Rejection] = msgspec.field(default_factory=dict)
    undelivered: dict[Source, Cause] = msgspec.field(default_factory=dict)
    shadowed: set[Source] = msgspec.field(default_factory=set)
    """What would have been delivered."""
    calls: int = 0
    retries: int = 0
    throttles: int = 0
    answers: int = 0
    seconds: float = 0.0
    """How long the answers took, added up."""
    configuration_errors: list[str] = msgspec.field(default_factory=list)
    """The error code of each call that was refused for its tracker's configuration, and of each suspected tracker."""
    uncured_errors: list[str] = msgspec.field(default_factory=list)
    """The error codes of the requests that failed to the end."""
