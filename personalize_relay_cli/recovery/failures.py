"""What `relay failed` works on: a deployment's bucket, ledger, trackers and ways to send, each asked for if needed."""

import os
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property

from msgspec.structs import replace

from personalize_relay.events import Trackers
from personalize_relay.settings import Settings
from personalize_relay_cli.deployment import Deployment, settings_of
from personalize_relay_cli.problems import Misuse, Problem
from personalize_relay_cli.recovery.redriven import Ledger, Mark
from personalize_relay_cli.recovery.resending import Sender, ToPersonalize, ToStream
from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.set_aside import EventPosition, Flaw, SetAside
from personalize_relay_cli.recovery.stored import FailureBucket

type Found = tuple[SetAside, dict[EventPosition, Mark]]
"""A record, and what the ledger of its object has."""


class Failures:
    """The failures of one deployment, for one run of the command."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.bucket = FailureBucket(deployment.client("s3"), deployment.output("BucketName"))
        self.ledger = Ledger(self.bucket, run=uuid.uuid4().hex[:12], now=lambda: datetime.now(UTC))

    @cached_property
    def settings(self) -> Settings:
        """Those of the deployed function."""
        function = self._deployment.function
        return settings_of(self._deployment.client("lambda").get_function_configuration(FunctionName=function))

    @property
    def trackers(self) -> Trackers:
        """Those that the deployed function sends to."""
        settings = self.settings
        return Trackers(default=settings.tracking_id, allowed=frozenset(settings.allowed_tracking_ids))

    @property
    def stream(self) -> Sender:
        """Sends by the stream."""
        return ToStream(self._deployment.client("kinesis"), self._deployment.stream)

    def past_the_stream(self, *, profile: str | None, region: str | None, local: bool, **_: object) -> Sender:
        """Sends straight to Personalize."""
        try:
            from personalize_relay_cli.recovery.direct import delivery  # noqa: PLC0415 - brings libcurl, which few runs need
        except ModuleNotFoundError as exc:
            raise Problem("--direct needs libcurl: install personalize-relay[direct]") from exc
        return ToPersonalize(delivery(os.environ, profile, region, local=local))

    def completed(self, selection: Selection) -> Selection:
        """With the tracker of events that name none, where that matters."""
        return selection if selection.tracker is None else replace(selection, default_tracker=self.trackers.default)

    def find(self, selection: Selection) -> tuple[list[Found], list[Flaw]]:
        """The records that are selected, and what can't be read."""
        found: list[Found] = []
        flaws: list[Flaw] = []
        for content in self.bucket.contents(selection):
            flaws += content.flaws
            for record in content.records:
                if selection.causes(record):
                    page = self.ledger.read(record.key)
                    flaws += [page] if isinstance(page, Flaw) else []
                    found.append((record, {} if isinstance(page, Flaw) else dict(page.marks)))
        return found, flaws


def asked(  # noqa: PLR0913, PLR0917 - an option each
    since: float | None,
    until: float | None,
    reasons: Iterable[str] | None,
    shard: str | None,
    tracker: str | None,
    sequence_number: str | None,
) -> Selection:
    """What the options ask for; raises Misuse."""
    if since is not None and until is not None and since >= until:
        raise Misuse("--since is not before --until")
    if sequence_number is not None and not (sequence_number.isascii() and sequence_number.isdigit()):
        raise Misuse("a sequence number is a number, as `relay failed list --each` prints it")
    return Selection(
        since=since,
        until=until,
        reasons=frozenset(reasons or ()),
        shard=shard,
        tracker=tracker,
        sequence_number=sequence_number,
    )
