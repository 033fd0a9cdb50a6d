"""What ends a command early: a line that says what, where and what to do, and an exit status."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FAILED = 1
"""Something was rejected, or failed."""
MISUSED = 2
"""The command was given something that it can't work with."""
INTERRUPTED = 130
"""Ended by Ctrl-C or SIGTERM, as shells have it."""

_FRAMES = 5
_REFUSALS = {
    "AccessDenied": "the credentials may not do this: use others, or have it allowed",
    "ExpiredToken": "the credentials have expired: sign in again",
    "InvalidClientTokenId": "the access key is not known: sign in again, or choose another --profile",
    "InvalidSignature": "the secret key or this machine's clock is wrong",
    "NoSuchBucket": "is it the right stage, region and account?",
    "ResourceNotFound": "is it the right name, region and account?",
    "SignatureDoesNotMatch": "the secret key or this machine's clock is wrong",
    "UnrecognizedClient": "the access key is not known: sign in again, or choose another --profile",
}
"""What to do, by how a service's error code begins."""
_UNREACHABLE = "is the region right, and the network up?"
_SIGN_IN = "sign in again: aws sso login"
_UNREACHED = ("ConnectTimeoutError", "EndpointConnectionError")
_MISUSES = {
    "ConfigParseError": "mend the file",
    "CredentialRetrievalError": "mend the profile's credential_process, or choose another --profile",
    "InvalidConfigError": "mend the profile, or choose another --profile",
    "InvalidRegionError": "a region is as eu-west-1: mend --region, AWS_REGION or the profile",
    "NoCredentialsError": "sign in, set AWS_PROFILE or give --profile; --local needs none",
    "NoRegionError": "set AWS_REGION or give --region",
    "PartialCredentialsError": "set both the access key and the secret key",
    "ProfileNotFound": "`aws configure list-profiles` names those there are",
    "SSOTokenLoadError": _SIGN_IN,
    "TokenRetrievalError": _SIGN_IN,
    "UnauthorizedSSOTokenError": _SIGN_IN,
}
"""What to do where a call was not even made, by why."""


class Problem(Exception):
    """Something that a person must mend; its text is the one line that they see, with nothing of an event in it."""

    exit_status = FAILED


class Misuse(Problem):
    """An argument or a file that the command can't work with."""

    exit_status = MISUSED


@contextmanager
def translating() -> Iterator[None]:
    """Turn what boto3 raises into a Problem."""
    # Slow to import: a command that needs no service is not to wait for it.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as exc:
        raise Problem(_refused(exc.operation_name, exc.response.get("Error", {}).get("Code", ""))) from exc
    except BotoCoreError as exc:
        kind, said = type(exc).__name__, str(exc).rstrip(". :")
        if kind in _MISUSES:
            raise Misuse(f"{said}: {_MISUSES[kind]}") from exc
        if kind in _UNREACHED:
            here = "//127.0.0.1:" in said
            said += f": {'is `make local` running, and on this --port?' if here else _UNREACHABLE}"
        raise Problem(said) from exc


def _refused(operation: str, code: str) -> str:
    """The service's own message is left out: it may repeat the request."""
    advice = next((advice for start, advice in _REFUSALS.items() if code.startswith(start)), None)
    return f"{operation} was refused: {code}" + (f": {advice}" if advice else "")


def bug(failure: Exception) -> str:
    """What is to be reported of a failure that nobody thought of: its text is left out, as it may hold an event."""
    frames = traceback.extract_tb(failure.__traceback__)[-_FRAMES:]
    places = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"this is a bug, please report it: {type(failure).__name__} at {places}"
