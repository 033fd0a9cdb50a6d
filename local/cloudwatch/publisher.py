"""Brings the relay's metrics into the emulator's CloudWatch, which makes none for logs, mappings and streams."""

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
    """Publishes, while the block runs, the function's metrics in its log, and other counts.

    `counted` returns the counts since its last call. Every `pause` seconds, each new line and count becomes a metric
    once. If a request fails, the next publication repeats it.
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
        """Stop publishing; raises the exception that ended the publishing thread."""
        self._stopping.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    def publish(self) -> None:
        """Publish everything logged and counted before this call; raises what its clients raise."""
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
                continue  # nothing is lost: the next publication has it all
            except BaseException as exc:  # noqa: BLE001 -- kept for whoever stops this thread
                self._failure = exc
                return


def _namespace(datum: Datum) -> str:
    return datum.namespace
