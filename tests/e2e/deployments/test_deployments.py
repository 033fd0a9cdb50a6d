"""Deploying and destroying: nothing stays behind that should not, and nothing goes that should stay."""

from pathlib import Path

import pytest

from local.personalize.server import PersonalizeFake
from tests.e2e.account import Account
from tests.e2e.conftest import PATIENCE
from tests.e2e.deployments.variants import GIVEN, Variants, live, mapping_of
from tests.e2e.traffic import Producer


@pytest.mark.whole
def test_a_destroyed_dev_stack_leaves_nothing_once_its_buckets_are_empty(account: Account, variants: Variants) -> None:
    before = account.holds()
    outputs = account.deploy(variants("dev"))
    account.client("s3").put_object(Bucket=outputs["BucketName"], Key="quarantine/bad", Body=b"kept")
    destroy = f"--force --app {variants('dev')}"
    with mapping_of(account, outputs) as mapping:
        status, printed = account.make("destroy", "dev", destroy)
        assert status, printed
        assert mapping.wait_until(lambda: mapping.deleted, PATIENCE)
    kept = dict(account.holds() - before)
    assert kept["stack"] == "personalize-relay-dev"
    assert kept.keys() <= {"stack", "bucket"}
    account.empty(outputs["BucketName"])
    status, printed = account.make("destroy", "dev", destroy)
    assert not status, printed
    assert account.holds() == before


@pytest.mark.whole
def test_a_destroyed_prod_stack_leaves_its_data_and_nothing_else(account: Account, variants: Variants) -> None:
    """The stream, both buckets, still closed, the log, and a key that was added later.

    First the stack has to be told that it may go.
    """
    before = account.holds()
    account.deploy(variants("prod"))
    made = account.resources("prod")
    status, printed = account.make("destroy", "prod", f"--force --app {variants('prod')}")
    assert status
    assert "TerminationProtection is enabled" in printed
    outputs = account.deploy(variants("prod-with-key"))
    assert account.resources("prod").items() >= made.items()
    status, printed = account.make("destroy", "prod", f"--force --app {variants('prod-with-key')}")
    assert not status, printed
    left = sorted(account.holds() - before)
    assert [kind for kind, _ in left] == ["bucket", "bucket", "key", "log group", "stream"]
    assert {outputs[name] for name in ("BucketName", "LogGroupName", "StreamName")} <= {name for _, name in left}
    assert "Deny" in account.client("s3").get_bucket_policy(Bucket=outputs["BucketName"])["Policy"]


def test_a_stack_that_makes_its_own_tracker_records_events_with_it(
    account: Account, variants: Variants, personalize: PersonalizeFake, trackers: list[str]
) -> None:
    """The tracker is none, and said to be; its id reaches the function all the same."""
    outputs = account.deploy(variants("dev-with-tracker"))
    kinds = [kind for kind in account.emulator.only_accepted() if "Personalize" in kind]
    assert sorted(kinds) == [
        f"AWS::Personalize::{kind}" for kind in ("Dataset", "DatasetGroup", "EventTracker", "Schema")
    ]
    function = account.client("lambda").get_function_configuration(FunctionName=live(outputs))
    trackers.append(function["Environment"]["Variables"]["TRACKING_ID"])
    Producer(account, outputs["StreamName"]).put("event")
    with mapping_of(account, outputs) as mapping:
        assert mapping.wait_until_drained(PATIENCE)
    assert [each.tracking_id for each in personalize.accepted.values()] == trackers[-1:]


@pytest.mark.whole
def test_diff_shows_nothing_right_after_a_deployment_and_else_what_would_change(
    account: Account, variants: Variants, tmp_path: Path
) -> None:
    """Nor does app.py write anything else than what these tests deploy."""
    account.deploy(variants("dev"))
    given = " ".join(f"-c {name}={value}" for name, value in GIVEN.items())
    status, printed = account.make("diff", "dev", f"--fail --output {tmp_path} {given}")
    assert not status, printed
    assert "There were no differences" in printed
    status, printed = account.make("diff", "dev", f"--fail --app {variants('dev-as-prod')}")
    assert status, printed
    assert "BatchSize" in printed
