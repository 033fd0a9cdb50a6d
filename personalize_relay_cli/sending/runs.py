"""One run of `relay produce`, from the first line read to the last call ended."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from personalize_relay.mapping import Mapping as PayloadMapping
from personalize_relay_cli.input.reading import Line
from personalize_relay_cli.problems import Problem
from personalize_relay_cli.sending.account import Account
from personalize_relay_cli.sending.checkpoint import Checkpoint
from personalize_relay_cli.sending.contents import AsGiven, ByMapping
from personalize_relay_cli.sending.headway import Headway, Position
from personalize_relay_cli.sending.interruption import Interruption
from personalize_relay_cli.sending.pace import Pace
from personalize_relay_cli.sending.producing import Production, Rejected
from personalize_relay_cli.sending.put_records import Put, Sender

_KEEP_EVERY = 1.0
"""Seconds between two checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a run sends."""

    stream: str
    rate: float = math.inf
    give_up_after: float = 300.0
    stamping: bool = True
    validating: bool = True
    mapping: PayloadMapping | None = None
    """What makes events of the payloads, which are of the contract without it."""


class Run:
    """A run over lines; it ends well whatever ends it, and then has an account."""

    def __init__(
        self,
        put: Put,
        terms: Terms,
        checkpoint: Checkpoint | None,
        reject: Callable[[Rejected], None],
        interruption: Interruption,
    ) -> None:
        self.headway = Headway()
        self.draw: Callable[[], None] = lambda: None
        """Called after every call, to show how far it is."""
        self.problem: Problem | None = None
        """What ended it early, unless it was interrupted."""
        self._terms = terms
        self._interruption = interruption
        self._keeper = _Keeper(checkpoint, self.headway)
        self._sender = Sender(
            put, self.headway, Pace(terms.rate), give_up_after=terms.give_up_after, settled=self._settled
        )
        self._production = Production(
            headway=self.headway,
            contents=ByMapping(terms.mapping) if terms.mapping else AsGiven(),
            send=self._sender.send,
            reject=reject,
            resumed=_positions(checkpoint),
            stamping=terms.stamping,
            validating=terms.validating,
        )
        self._began = time.monotonic()

    def over(self, lines: Iterator[Line]) -> None:
        """Send the lines; when this returns no call is under way, and the checkpoint is written."""
        self._keeper.keep()
        try:
            self._send(lines)
        except Problem as exc:
            self.problem = exc
        finally:
            self._keeper.keep()

    def account(self) -> Account:
        """What became of the lines."""
        return Account(
            stream=self._terms.stream,
            read=self.headway.read,
            sent=self.headway.sent,
            rejected=self.headway.rejected,
            filtered=self.headway.filtered,
            left=self.headway.left,
            settled_before=self._production.skipped,
            events=self.headway.events,
            reasons=dict(self.headway.reasons),
            rules=dict(self.headway.rules),
            calls=self._sender.calls,
            retries=self._sender.retries,
            seconds=round(time.monotonic() - self._began, 3),
        )

    def _send(self, lines: Iterator[Line]) -> None:
        interrupted = self._interruption.is_asked
        self._sender.start()
        try:
            with suppress(KeyboardInterrupt):
                for line in self._interruption.each(lines):
                    if not self._sender.wait_for_room(interrupted):
                        return
                    self._production.take(line)
            if not interrupted():
                self._production.check_ends()
        finally:
            # Also where a file turned out to be unreadable: what was read of it before is sent.
            self._sender.finish(interrupted)

    def _settled(self) -> None:
        self.draw()
        self._keeper.keep_now_and_then()


class _Keeper:
    """Writes the checkpoint, if there is one; threads may share it."""

    def __init__(self, checkpoint: Checkpoint | None, headway: Headway) -> None:
        self._checkpoint = checkpoint
        self._headway = headway
        self._lock = threading.Lock()
        self._kept = 0.0

    def keep(self) -> None:
        if self._checkpoint:
            with self._lock:
                self._checkpoint.save(self._headway.positions())
                self._kept = time.monotonic()

    def keep_now_and_then(self) -> None:
        if time.monotonic() - self._kept >= _KEEP_EVERY and not self._lock.locked():
            self.keep()


def _positions(checkpoint: Checkpoint | None) -> Mapping[str, Position]:
    # A copy: what is saved meanwhile is of this run.
    return dict(checkpoint.positions) if checkpoint else {}
