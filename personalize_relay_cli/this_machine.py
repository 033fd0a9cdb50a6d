"""The system that `make local` runs: who it takes its callers for, and clients that reach nothing else."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.session import Session

ACCOUNT = "000000000000"
"""The emulator's own."""
REGION = "us-east-1"
ACCESS_KEY, SECRET_KEY = "test", "test"
FUNCTION_ACCESS_KEY = ACCOUNT
"""That functions sign with: the emulator gives them the account for an access key."""
# A profile, a configuration file or a proxy of the machine must count for nothing: each could name a real account.
_NOTHING_OF_THIS_MACHINE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ca_bundle": (None, None, None, None),
}
_TIMEOUT = 330  # seconds; a function may run for 5 minutes


def client_factory(endpoint: str) -> Callable[[str], Any]:
    """Makes clients of the services behind an endpoint by their boto3 names; threads may share a client."""
    session = boto3.session.Session(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=REGION,
        botocore_session=Session(session_vars=_NOTHING_OF_THIS_MACHINE),
    )
    config = Config(
        proxies={},
        max_pool_connections=64,
        connect_timeout=5,
        read_timeout=_TIMEOUT,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    return cast("Callable[[str], Any]", partial(session.client, endpoint_url=endpoint, config=config))
