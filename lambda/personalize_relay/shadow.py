"""In shadow: the relay reads, checks, groups and counts, and sends nothing anywhere."""

from collections.abc import Iterable

from personalize_relay.requests import Request
from personalize_relay.result import Result


class Shadow:
    """Delivers nothing, and says that it would have delivered every event."""

    def deliver(self, lanes: Iterable[list[Request]], **_times: float) -> Result:
        """See Delivers."""
        return Result(shadowed={source for lane in lanes for request in lane for source in request.sources})


class Nowhere:
    """Keeps no object: the relay only counts what it would quarantine."""

    def put(self, key: str, body: bytes) -> None:
        """See ObjectStore."""
