"""The endpoint is the one that botocore's rule set gives, everywhere."""

from itertools import product

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import Loader

from personalize_relay.endpoints import endpoint, region
from personalize_relay.errors import ConfigurationError

LOADER = Loader()
PARTITIONS = LOADER.load_data("partitions")
RULES = EndpointProvider(LOADER.load_service_model("personalize-events", "endpoint-rule-set-1"), PARTITIONS)
REGIONS = sorted(
    name for partition in PARTITIONS["partitions"] for name in partition["regions"] if "global" not in name
)


def botocores(name: str, *, fips: bool, dual_stack: bool) -> str | None:
    """The URL by the rules; None where a partition has no such endpoints."""
    try:
        return str(RULES.resolve_endpoint(Region=name, UseFIPS=fips, UseDualStack=dual_stack).url)
    except EndpointProviderError:
        return None


@pytest.mark.parametrize("name", [*REGIONS, "eu-north-9"])
def test_it_is_botocores_for_every_region_and_variant(name: str) -> None:
    """A region that botocore doesn't know yet among them."""
    compared = 0
    for fips, dual_stack in product([False, True], repeat=2):
        given = {"AWS_REGION": name}
        given |= {"AWS_USE_FIPS_ENDPOINT": str(fips), "AWS_USE_DUALSTACK_ENDPOINT": str(dual_stack).lower()}
        expected = botocores(name, fips=fips, dual_stack=dual_stack)
        if expected:
            assert endpoint(given) == expected
            compared += 1
    assert compared >= 2


def test_a_given_endpoint_comes_first_and_the_services_own_before_the_common_one() -> None:
    given = {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1/"}
    assert endpoint(given) == "http://127.0.0.1:1"
    assert endpoint(given | {"AWS_ENDPOINT_URL_PERSONALIZE_EVENTS": "http://127.0.0.1:2"}) == "http://127.0.0.1:2"
    ignored = endpoint(given | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"})
    assert ignored == "https://personalize-events.eu-west-1.amazonaws.com"


def test_the_region_is_lambdas_or_the_default_and_never_guessed() -> None:
    assert region({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}) == "eu-west-1"
    assert region({"AWS_DEFAULT_REGION": "us-east-1"}) == "us-east-1"
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        region({})
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        endpoint({"AWS_REGION": "Frankfurt"})
