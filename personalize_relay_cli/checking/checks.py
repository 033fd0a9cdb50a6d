"""Check payloads as the function would, by its own parser, and count what becomes of them."""

from collections import Counter
from collections.abc import Iterable

from personalize_relay.errors import Reason
from personalize_relay.events import Origin, Rejection, Trackers
from personalize_relay.mapping import Mapping
from personalize_relay.parsing import parse
from personalize_relay_cli.checking import spellings
from personalize_relay_cli.checking.observations import Bounds, Observations, Warned
from personalize_relay_cli.checking.schemas import Schema
from personalize_relay_cli.input.reading import Line

_STREAM = "relay validate"
"""No stream has such a name, so no producer's eventId begins with it."""


class _Everything(frozenset[str]):
    """Holds whatever it is asked for."""

    __slots__ = ()

    def __contains__(self, _member: object) -> bool:
        return True


def trackers(default: str | None, allowed: Iterable[str]) -> Trackers:
    """Those of a deployment; any tracker where none is named."""
    named = frozenset(allowed)
    return Trackers(default=default or "", allowed=named if default or named else _Everything())


class Checks:
    """What became of the payloads so far."""

    def __init__(  # noqa: PLR0913 - all that says how the deployed function would see the payloads
        self,
        trackers: Trackers,
        arrival: float,
        schema: Schema | None = None,
        *,
        mapping: Mapping | None = None,
        bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
        names: bool = False,
    ) -> None:
        """`arrival` is when the payloads are taken to reach the stream, in epoch seconds; a mapping is the function's.

        With `names`, warnings hold the producer's names of members and properties that they are about.
        """
        self.good_lines = self.bad_lines = self.good_events = 0
        self.reasons: Counter[Reason] = Counter()
        """The rejected events, by reason; a payload that is rejected whole counts as one."""
        self.filtered: Counter[str] = Counter()
        """The payloads that the mapping drops, by rule."""
        self._trackers = trackers
        self._mapping = mapping
        self._origin = Origin(stream=_STREAM, shard_id="", sequence_number="0", arrival=arrival)
        self._observations = Observations(arrival, schema, bounds, derived=f"{_STREAM}:", names=names)

    @property
    def bad_events(self) -> int:
        """How many events would be rejected."""
        return self.reasons.total()

    def take(self, line: Line) -> tuple[Rejection, ...]:
        """Check a payload; returns what would be rejected of it."""
        parsed = parse(line.data, self._origin, self._trackers, self._mapping)
        self.good_events += len(parsed.interactions)
        self.filtered.update(parsed.filtered)
        for interaction in parsed.interactions:
            self._observations.see(line, interaction)
        self._observations.see_names(line, unknown=parsed.unknown_members, renamed=parsed.renamed_members)
        if parsed.rejections:
            self.bad_lines += 1
            self.reasons.update(each.reason for each in parsed.rejections)
        else:
            self.good_lines += 1
        return parsed.rejections

    def slips(self, line: Line, rejection: Rejection) -> dict[str, str]:
        """For each member that a rejected event lacks, the name that it is likely under, if the names are the line's.

        A mapping gives events names of its own.
        """
        return {} if self._mapping else spellings.slips(line.data, rejection)

    def warnings(self) -> list[Warned]:
        """What is worth a warning in the events that would be delivered."""
        return list(self._observations.warnings())
