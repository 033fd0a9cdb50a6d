"""The Lambda function's entry point: builds the relay once for the sandbox, and reports on each invocation."""

import gc
import logging
import os
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.typing import LambdaContext

from personalize_relay.clients import PutEventsClient
from personalize_relay.delivery import Delivery
from personalize_relay.errors import ConfigurationError
from personalize_relay.events import Trackers
from personalize_relay.mapping import Mapping
from personalize_relay.memory import peak_megabytes
from personalize_relay.metrics import ALERTS, Metric, unit
from personalize_relay.outcome import Outcome
from personalize_relay.processor import Delivers, RelayProcessor, where
from personalize_relay.quarantine import Quarantine, S3Store
from personalize_relay.settings import Settings
from personalize_relay.shadow import Nowhere, Shadow


def _client(settings: Settings) -> PutEventsClient:
    """The chosen client; neither client loads what only the other needs."""
    if settings.put_events_client == "boto3":
        from personalize_relay.boto3_client import Boto3Client  # noqa: PLC0415

        return Boto3Client(max_in_flight=settings.max_in_flight)
    from personalize_relay import curl_client  # noqa: PLC0415

    return curl_client.from_environment(os.environ, settings.max_in_flight)


def _mapping(settings: Settings) -> Mapping | None:
    """The mapping, if one is set."""
    if not settings.mapping:
        return None
    from personalize_relay import mapping_file  # noqa: PLC0415 - few need it

    text = mapping_file.source(settings.mapping, folder=Path(__file__).parents[1])
    return mapping_file.deployed(text, file=settings.mapping, salt=settings.mapping_salt or None)


def _delivery(settings: Settings) -> Delivers:
    if settings.shadow:
        return Shadow()
    return Delivery(
        _client(settings),
        clock=time.monotonic,
        jitter=lambda most: random.uniform(0, most),  # noqa: S311 - spreads retries, guards nothing
        max_in_flight=settings.max_in_flight,
        alert=lambda _code: _alert(Metric.CONFIGURATION_ERRORS),
    )


def _build(settings: Settings) -> RelayProcessor:
    store = Nowhere() if settings.shadow else S3Store(settings.quarantine_bucket)
    return RelayProcessor(
        delivery=_delivery(settings),
        quarantine=Quarantine(store, prefix=settings.quarantine_prefix, now=lambda: datetime.now(UTC)),
        mapping=_mapping(settings),
        trackers=Trackers(default=settings.tracking_id, allowed=frozenset(settings.allowed_tracking_ids)),
        clock=time.monotonic,
        now=time.time,
        wait=time.sleep,
        alert=_alert,
    )


def _unit(name: str) -> MetricUnit:
    return MetricUnit(unit(name))


def _alert(metric: Metric) -> None:
    """Emit a paging metric at once, because the invocation may last for a quarter of an hour."""
    namespace, dimensions = _settings.metrics_namespace, {"service": _settings.service}
    with single_metric(metric, _unit(metric), 1, namespace=namespace, default_dimensions=dimensions):
        pass


# The collector looks for cycles, and reading makes none: a batch's objects, fewer than this, live to its end. By
# default, the collector would go through them dozens of times.
gc.set_threshold(100_000)

_settings = Settings.from_env(os.environ)
_logger = Logger(service=_settings.service, level=_settings.log_level)
_metrics = Metrics(namespace=_settings.metrics_namespace, service=_settings.service)
_processor = _build(_settings)

# Lambda's log settings may set every logger to DEBUG, and these would then print whole requests.
for _name in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@_logger.inject_lambda_context(log_event=False)
@_metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Relay a batch of Kinesis records; returns the records that must come again.

    The answer is Lambda's partial batch response, `{"batchItemFailures": [{"itemIdentifier": sequence number}, …]}`.
    Raises ConfigurationError for an event of another service, RuntimeError for a failure of the relay itself.
    """
    records = event.get("Records")
    if not records or not all("kinesis" in record for record in records):
        raise ConfigurationError("the event is no batch of Kinesis records: map a Kinesis stream to this function")
    try:
        response = process_partial_response(event, _processor.parse, _processor, context)
    except Exception as exc:  # noqa: BLE001 - Lambda logs a raised text, and this one's may hold a payload
        _alert(Metric.INTERNAL_ERRORS)
        raise RuntimeError(f"the relay failed: {where(exc)}") from None
    _report(_processor.outcome)
    return {**response}


def _report(outcome: Outcome) -> None:
    counts = {**outcome.counts, **{name: round(value) for name, value in outcome.measures.items()}}
    if (peak := peak_megabytes()) is not None:
        counts[Metric.PEAK_MEMORY] = peak
    for name, value in counts.items():
        if name in ALERTS and value:
            continue  # emitted when it happened
        _metrics.add_metric(name=name, unit=_unit(name), value=value)
    log = _logger.warning if outcome.errors else _logger.info
    log(
        "batch settled",
        counts=counts,
        undelivered=outcome.undelivered,
        filtered=outcome.filtered,
        errors=sorted(set(outcome.errors)),
    )
