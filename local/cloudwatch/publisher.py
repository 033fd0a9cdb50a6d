"""Brings the relay's metrics into the emulator's CloudWatch, which makes none of logs, mappings and streams."""

import threading
from collections.abc import Callable, Iterable
from itertools import batched, groupby
from types import TracebackType
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from local.cloudwatch import emf
from local.cloudwatch.log_reader import LogReader
from local.cloudwatch.statistics import Datum
from local.emulator.clients import ClientFactory

PAUSE = 2.0
"""Seconds between two publications."""
_ENTRIES = 1000
"""PutMetricData's own maximum."""


class CloudWatch:
    """Publishes what the function logs in the embedded metric format, and what others count, while the block runs.

    `counted` gives what was counted since its last call. Each line and each count becomes a metric once, every `pause`
    seconds. A request that fails is made again with the next publication.
    """

    def __init__(
        self, client: ClientFactory, log_group: str, counted: Callable[[], Iterable[Datum]], pause: float = PAUSE
    ) -> None:
        self._counted = counted
        self._log = LogReader(client("logs"), log_group, emf.MARK)
        self._cloudwatch = client("cloudwatch")
        self._pause = pause
        self._unpublished: list[Datum] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Publish no more; raises what the publishing thread died of."""
        self._stopping.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    def publish(self) -> None:
        """Publish all that was logged and counted before this call; raises what its clients raise."""
        with self._lock:
            self._unpublished += self._counted()
            self._unpublished += [datum for line in self._log.new_lines() for datum in emf.data_of(line)]
            self._put()

    def _put(self) -> None:
        self._unpublished.sort(key=_namespace)
        requests = [
            (namespace, request)
            for namespace, data in groupby(list(self._unpublished), _namespace)
            for request in batched(data, _ENTRIES, strict=False)
        ]
        for namespace, request in requests:
            self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum.entry for datum in request])
            del self._unpublished[: len(request)]

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            try:
                self.publish()
            except (BotoCoreError, ClientError):
                continue  # nothing is lost: it is all published next time
            except BaseException as exc:  # noqa: BLE001 -- kept for whoever stops this thread
                self._failure = exc
                return


def _namespace(datum: Datum) -> str:
    return datum.namespace
