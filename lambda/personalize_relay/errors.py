"""The errors of the relay: wrong for ever, worth a retry, or for an operator to fix.

No message holds a byte of a record, because messages end in the log.
"""

import re
from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why an event or a record is quarantined: a closed list, with a metric for each, explained in docs/events.md."""

    INVALID_BASE64 = "invalid_base64"
    EMPTY_RECORD = "empty_record"
    COMPRESSED_RECORD = "compressed_record"
    BAD_CHECKSUM = "bad_checksum"
    TOO_LARGE = "too_large"
    INVALID_UTF8 = "invalid_utf8"
    INVALID_JSON = "invalid_json"
    NOT_AN_OBJECT = "not_an_object"
    FOREIGN_FORMAT = "foreign_format"
    NOT_MAPPED = "not_mapped"
    AMBIGUOUS_MEMBER = "ambiguous_member"
    TOO_DEEP = "too_deep"
    TOO_MANY_EVENTS = "too_many_events"
    TRACKER_NOT_ALLOWED = "tracker_not_allowed"
    MISSING_MEMBER = "missing_member"
    WRONG_TYPE = "wrong_type"
    WRONG_LENGTH = "wrong_length"
    PLACEHOLDER_TEXT = "placeholder_text"
    INVALID_CHARACTER = "invalid_character"
    INVALID_NUMBER = "invalid_number"
    INVALID_TIMESTAMP = "invalid_timestamp"
    TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
    FORBIDDEN_PROPERTY = "forbidden_property"
    REJECTED_BY_PERSONALIZE = "rejected_by_personalize"
    REFUSED_BY_PERSONALIZE = "refused_by_personalize"
    FAILED_REPEATEDLY = "failed_repeatedly"


class RelayError(Exception):
    """Any error the relay raises on purpose."""


class InvalidRecord(RelayError):
    """A record, or an event in it, that no retry can deliver: it belongs in the quarantine.

    `detail` says which member breaks which rule, and holds nothing of the member's value.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def anew(self) -> Self:
        """The same without a traceback, to be kept or raised again: its frames would hold it, and all of the payload.

        Such a cycle is memory that only the garbage collector frees.
        """
        return type(self)(self.reason, self.detail)


class DeliveryError(RelayError):
    """A record that is not settled and must come again: the relay reports it as a batch item failure."""


class ConfigurationError(RelayError):
    """A setting or a permission that a person must fix; the message names it and says what is allowed."""


class MappingError(RelayError):
    """A mapping that its author must fix; the message names the file, the rule or test, the member, and what to do."""


def error_code(name: str) -> str:
    """The bare code of `aws.service#Code:http://…`, the services' longest form; empty for what can't be a code.

    The code goes to the log, and a proxy may have answered with a text that repeats the request.
    """
    code = name.strip().partition(":")[0].rpartition("#")[2]
    return code if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", code) else ""
