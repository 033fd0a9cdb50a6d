"""The function's settings: what the stack writes is what the function reads."""

import pytest

from personalize_relay.errors import ConfigurationError
from personalize_relay.settings import Settings

MINIMUM = {"TRACKING_ID": "tracker", "QUARANTINE_BUCKET": "bucket"}


def test_what_the_stack_writes_the_function_reads() -> None:
    settings = Settings(
        tracking_id="tracker",
        quarantine_bucket="bucket",
        quarantine_prefix="bad/",
        allowed_tracking_ids=("a", "b"),
        max_in_flight=7,
        mapping="mapping.toml",
        mapping_salt="pepper",
        shadow=True,
        log_level="DEBUG",
        service="clicks",
        metrics_namespace="Clicks",
    )
    assert Settings.from_env(settings.to_env()) == settings
    assert Settings.from_env(MINIMUM) == Settings(tracking_id="tracker", quarantine_bucket="bucket")


def test_other_variables_are_none_of_its_business() -> None:
    assert Settings.from_env({**MINIMUM, "PATH": "/bin", "AWS_REGION": "eu-west-1"}) == Settings.from_env(MINIMUM)


@pytest.mark.parametrize("name", MINIMUM)
def test_a_missing_setting_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_env({key: value for key, value in MINIMUM.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRACKING_ID", ""),
        ("TRACKING_ID", "x" * 257),
        ("ALLOWED_TRACKING_IDS", "a," + "x" * 257),
        ("QUARANTINE_BUCKET", ""),
        ("QUARANTINE_PREFIX", "quarantine"),
        ("QUARANTINE_PREFIX", ""),
        ("MAX_IN_FLIGHT", "0"),
        ("MAX_IN_FLIGHT", "257"),
        ("MAX_IN_FLIGHT", "many"),
        ("PUT_EVENTS_CLIENT", "telnet"),
        ("SHADOW", ""),
        ("SHADOW", "True"),
        ("SHADOW", "1"),
        ("LOG_LEVEL", "LOUD"),
        ("POWERTOOLS_SERVICE_NAME", ""),
        ("POWERTOOLS_METRICS_NAMESPACE", ""),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_must_be(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must be "):
        Settings.from_env({**MINIMUM, name: value})


def test_allowed_trackers_are_a_list_with_commas() -> None:
    listed = Settings.from_env({**MINIMUM, "ALLOWED_TRACKING_IDS": " a, b ,,"})
    assert listed.allowed_tracking_ids == ("a", "b")


@pytest.mark.parametrize(("text", "shadow"), [("true", True), ("false", False)])
def test_shadow_is_true_or_false(text: str, *, shadow: bool) -> None:
    assert Settings.from_env({**MINIMUM, "SHADOW": text}).shadow is shadow


def test_the_salt_is_not_shown() -> None:
    """Whoever logs the settings, or an error that holds them, gives it to nobody."""
    settings = Settings.from_env({**MINIMUM, "MAPPING_SALT": "pepper"})
    assert settings.mapping_salt == "pepper"
    assert "pepper" not in f"{settings} {settings!r}"
