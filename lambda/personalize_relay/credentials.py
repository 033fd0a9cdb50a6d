"""The credentials that sign calls: from the standard AWS settings, and without the SDK where that is possible."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from personalize_relay.errors import ConfigurationError


class Credentials(NamedTuple):
    """The keys and the token that sign a call."""

    access_key: str
    secret_key: str
    token: str | None


def credentials(environ: Mapping[str, str]) -> Callable[[], Credentials]:
    """Gives the environment's credentials, as on Lambda; elsewhere those of botocore's chain, which refreshes them."""
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        fixed = Credentials(key, secret, environ.get("AWS_SESSION_TOKEN") or None)
        return lambda: fixed
    import botocore.session  # noqa: PLC0415 - slow to import, and never needed on Lambda

    found = botocore.session.get_session().get_credentials()
    if found is None:
        raise ConfigurationError("AWS credentials must be set: AWS_ACCESS_KEY_ID and the like, a profile, or a role")

    def current() -> Credentials:
        frozen = found.get_frozen_credentials()
        return Credentials(frozen.access_key or "", frozen.secret_key or "", frozen.token)

    return current
