"""Tell from an answer what to do with its request."""

from enum import Enum, auto

from personalize_relay.clients import Answer


class Verdict(Enum):
    """What an answer means for the request."""

    DELIVERED = auto()
    INVALID = auto()
    THROTTLED = auto()
    TRANSIENT = auto()
    CONFIGURATION = auto()


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
    # botocore's own, before anything is sent
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
"""No access; and what a wrong endpoint or a proxy answers."""
# botocore refuses these parameters before it sends them: only a single event's rejection can mend that.
_INVALID = {"ParamValidationError"}


def judge(answer: Answer) -> Verdict:
    """Class an answer by error code and status: only one of PutEvents' errors is modelled."""
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
