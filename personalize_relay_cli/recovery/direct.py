"""The function's own delivery, set up for whoever runs the command."""

import os
import random
import time
from collections.abc import Callable, Mapping

import certifi

from personalize_relay.credentials import Credentials
from personalize_relay.curl_client import CurlClient, Target
from personalize_relay.delivery import Delivery
from personalize_relay.endpoints import endpoint
from personalize_relay.errors import ConfigurationError
from personalize_relay_cli.problems import Misuse, Problem

ENDPOINT = "AWS_ENDPOINT_URL_PERSONALIZE_EVENTS"
MAX_IN_FLIGHT = 16
"""Calls at once: the deployed function has the quota to itself but for these."""


def delivery(environ: Mapping[str, str], profile: str | None, region: str | None, *, local: bool) -> Delivery:
    """Deliver with one's own credentials, or to the stand-in of the local system; raises Problem."""
    try:
        target, credentials = _of_this_machine(environ) if local else _of_aws(environ, profile, region)
    except ConfigurationError as exc:
        raise Problem(str(exc)) from exc
    return Delivery(
        CurlClient(target, credentials, MAX_IN_FLIGHT, time.time),
        clock=time.monotonic,
        jitter=lambda most: random.uniform(0, most),  # noqa: S311 - spreads retries, guards nothing
        max_in_flight=MAX_IN_FLIGHT,
    )


def _of_this_machine(environ: Mapping[str, str]) -> tuple[Target, Callable[[], Credentials]]:
    from personalize_relay_cli.this_machine import FUNCTION_ACCESS_KEY, REGION, SECRET_KEY  # noqa: PLC0415 - brings boto3

    url = environ.get(ENDPOINT)
    if not url:
        raise Misuse(f"--direct with --local: set {ENDPOINT} to where `make local` says Personalize is played")
    fixed = Credentials(FUNCTION_ACCESS_KEY, SECRET_KEY, None)
    return Target(url.rstrip("/"), REGION, certifi.where()), lambda: fixed


def _of_aws(
    environ: Mapping[str, str], profile: str | None, region: str | None
) -> tuple[Target, Callable[[], Credentials]]:
    import boto3  # noqa: PLC0415 - slow to import

    session = boto3.session.Session(profile_name=profile, region_name=region or environ.get("AWS_REGION"))
    if session.region_name is None:
        raise Misuse("set AWS_REGION or give --region")
    found = session.get_credentials()
    if found is None:
        raise Misuse("no AWS credentials: sign in, set AWS_PROFILE or give --profile")
    bundle = environ.get("AWS_CA_BUNDLE") or certifi.where()
    if not os.path.exists(bundle):  # noqa: PTH110 - a path is all that is asked for
        raise Misuse("AWS_CA_BUNDLE must be the path of a file of certificates")

    def current() -> Credentials:
        frozen = found.get_frozen_credentials()  # refreshed where they expire
        return Credentials(frozen.access_key or "", frozen.secret_key or "", frozen.token)

    url = endpoint({**environ, "AWS_REGION": session.region_name})
    return Target(url, session.region_name, bundle), current
