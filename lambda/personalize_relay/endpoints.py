"""Find the PutEvents endpoint by the standard AWS settings; the SDK's own rules take half a cold start to load.

tests/test_endpoints.py compares the result with botocore's rule set for every region.
"""

import re
from collections.abc import Mapping

from personalize_relay.errors import ConfigurationError

PARTITIONS = (
    (r"cn-.*", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    (r"eusc-.*", "amazonaws.eu", "api.amazonwebservices.eu"),
    (r"us-iso-.*", "c2s.ic.gov", "api.aws.ic.gov"),
    (r"us-isob-.*", "sc2s.sgov.gov", "api.aws.scloud"),
    (r"eu-isoe-.*", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    (r"us-isof-.*", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    (r"[a-z]{2,}-.*", "amazonaws.com", "api.aws"),
)
"""For each pattern of regions, the domain of its endpoints, and the domain of those that speak IPv6 as well."""


def region(environ: Mapping[str, str]) -> str:
    """The region that the environment names; raises ConfigurationError if there is none."""
    name = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not name:
        raise ConfigurationError("AWS_REGION must be set: it is the region of the event tracker")
    return name


def endpoint(environ: Mapping[str, str]) -> str:
    """The URL of the personalize-events service, without a path."""
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        given = environ.get("AWS_ENDPOINT_URL_PERSONALIZE_EVENTS") or environ.get("AWS_ENDPOINT_URL")
        if given:
            return given.rstrip("/")
    name = region(environ)
    fips = "-fips" if _on(environ, "AWS_USE_FIPS_ENDPOINT") else ""
    return f"https://personalize-events{fips}.{name}.{_domain(name, both=_on(environ, 'AWS_USE_DUALSTACK_ENDPOINT'))}"


def _on(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() == "true"


def _domain(name: str, *, both: bool) -> str:
    for pattern, domain, dual_stack in PARTITIONS:
        if re.fullmatch(pattern, name):
            return dual_stack if both else domain
    raise ConfigurationError("AWS_REGION is not the name of an AWS region")
