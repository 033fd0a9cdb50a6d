"""Judge by an answer what to do with its request."""

from enum import Enum, auto

from personalize_relay.clients import Answer


class Verdict(Enum):
    """The meaning of an answer for its request."""

    DELIVERED = auto()
    INVALID = auto()
    THROTTLED = auto()
    TRANSIENT = auto()
    CONFIGURATION = auto()


LET_THROUGH = (Verdict.DELIVERED, Verdict.INVALID)
"""The verdicts that show that the API took a call and judged its events; a tuple, as a set would hash each verdict."""
_THROTTLING = {"SlowDown", "TooManyRequestsException", "PriorRequestNotComplete"}
_CONFIGURATION = (
    "AccessDenied",
    "ExpiredToken",
    "UnrecognizedClient",
    "InvalidSignature",
    "SignatureDoesNotMatch",
    "InvalidClientTokenId",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "ResourceNotFound",
    "OptInRequired",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "UnknownOperation",
    # botocore's own errors, before anything is sent
    "NoCredentials",
    "PartialCredentials",
    "CredentialRetrieval",
    "TokenRetrieval",
    "UnauthorizedSSOToken",
    "SSOTokenLoad",
    "InvalidRegion",
    "EndpointResolution",
)
_CONFIGURATION_STATUSES = {401, 403, 404, 405, 407}
"""The statuses of denied access, of a wrong endpoint and of a proxy."""
# botocore refuses such parameters before it sends them: only rejecting a single event can help.
_INVALID = {"ParamValidationError"}


def judge(answer: Answer) -> Verdict:
    """Judge an answer by error code and status, because the service model has only one of PutEvents' errors."""
    status, error = answer.status, answer.error
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
        return Verdict.DELIVERED
    if status == 429 or error in _THROTTLING or "Throttl" in error or "LimitExceeded" in error:  # noqa: PLR2004
        return Verdict.THROTTLED
    if status in _CONFIGURATION_STATUSES or error.startswith(_CONFIGURATION):
        return Verdict.CONFIGURATION
    if error in _INVALID or (400 <= status < 500 and status != 408 and not error.startswith("RequestTimeout")):  # noqa: PLR2004
        return Verdict.INVALID
    return Verdict.TRANSIENT
