"""Where the events of a redrive are: sent, rejected again, or left for a reason."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from personalize_relay_cli.recovery.mending import NotMended
from personalize_relay_cli.recovery.redriven import Mark
from personalize_relay_cli.recovery.set_aside import Flaw

ALREADY_SENT = "alreadySent"
CLAIMED = "claimedByAnotherRun"
UNREADABLE = "unreadable"
FILTERED = "filteredByTheMapping"
NOT_SENT = "notSent"
LEDGER_FLAWED = "ledgerFlawed"
MAX_EXAMPLES = 5
MAX_FAULTS = 50
"""Details hold lengths and counts: there may be as many as events."""


class Claim(msgspec.Struct, frozen=True):
    """Events that another run claims and hasn't noted as sent."""

    source: str
    run: str
    at: datetime
    events: int


class BeforeAfter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An event before and after it is mended, shown on request."""

    reason: str
    sequence_number: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None = None
    rejected: str | None = None
    """Why there is none after."""


class FaultKind(msgspec.Struct):
    """Events that would be rejected again, all with one detail."""

    reason: str
    detail: str
    events: int


class RedriveAccount(
    msgspec.Struct, kw_only=True, rename="camel", tag_field="schema", tag="personalize-relay.redrive/1"
):
    """Where each selected event is."""

    dry_run: bool = False
    selected: int = 0
    sent: int = 0
    to_send: int = 0
    """In a plan, those that would be sent."""
    rejected_again: Counter[str] = msgspec.field(default_factory=Counter)
    """By the reason that the function would give, or Personalize gave."""
    details: dict[str, str] = msgspec.field(default_factory=dict)
    """Of the first of each such reason, what is wrong, without a value of the event."""
    faults: list[FaultKind] = msgspec.field(default_factory=list)
    """All that is wrong with such events, as far as a detail says it; at most MAX_FAULTS are told apart."""
    left: Counter[str] = msgspec.field(default_factory=Counter)
    unreadable: Counter[str] = msgspec.field(default_factory=Counter)
    """Of those left, why no event can be read from the record."""
    not_sent: Counter[str] = msgspec.field(default_factory=Counter)
    """Of those left, what stood in the way."""
    examples: list[str] = msgspec.field(default_factory=list)
    """Sequence numbers of some that can't be read."""
    claims: list[Claim] = msgspec.field(default_factory=list)
    flaws: list[Flaw] = msgspec.field(default_factory=list)
    samples: list[BeforeAfter] | UnsetType = UNSET
    """The first event of each reason, where that is to be revealed."""

    def reject(self, bad: NotMended) -> None:
        """Count an event that would be rejected again, and what is wrong with it."""
        self.rejected_again[bad.reason] += 1
        if not bad.detail:
            return
        self.details.setdefault(bad.reason, bad.detail)
        known = next((each for each in self.faults if (each.reason, each.detail) == (bad.reason, bad.detail)), None)
        if known:
            known.events += 1
        elif len(self.faults) < MAX_FAULTS:
            self.faults.append(FaultKind(bad.reason, bad.detail, 1))

    def leave_unreadable(self, reason: str, sequence_number: str) -> None:
        """Count a record that no event can be read from."""
        self.left[UNREADABLE] += 1
        self.unreadable[reason] += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(sequence_number)

    @property
    def whole(self) -> bool:
        """Whether every selected event is accounted for."""
        return not self.missing

    @property
    def missing(self) -> int:
        """How many selected events are not accounted for."""
        return self.selected - self.sent - self.to_send - self.rejected_again.total() - self.left.total()

    @property
    def done(self) -> bool:
        """Whether nothing is left that should be sent, and all could be read."""
        left = self.left.total() - self.left[ALREADY_SENT] - self.left[FILTERED]
        return self.whole and not (left or self.rejected_again.total() or self.flaws)


def claims(source: str, marks: Iterable[Mark]) -> list[Claim]:
    """The claims on an object's events, a run at a time."""
    return [Claim(source, mark.run, mark.at, count) for mark, count in Counter(marks).items()]
