"""One run of `relay produce`, from the first line read to the last call ended: a loop that reads, and sends in between.

It reads ahead as far as memory allows before it sends the oldest, so that a session's events meet in one record
wherever in the file they stand.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from personalize_relay_cli.input.reading import Line
from personalize_relay_cli.problems import Problem
from personalize_relay_cli.sending.account import Account
from personalize_relay_cli.sending.checkpoint import Checkpoint
from personalize_relay_cli.sending.contents import Content
from personalize_relay_cli.sending.headway import FilePosition, Headway, Place
from personalize_relay_cli.sending.interruption import Interruption
from personalize_relay_cli.sending.outbox import Entry
from personalize_relay_cli.sending.pace import SendingPace
from personalize_relay_cli.sending.producing import ProduceTerms, Production, Rejected
from personalize_relay_cli.sending.put_records import Put, Writer

LINGER = 1.0
"""Seconds that an event of a pipe waits for others to share its record."""


class Run:
    """A run over lines; it ends well whatever ends it, and then has an account."""

    def __init__(  # noqa: PLR0913 - all that the outside world is to it
        self,
        put: Put,
        terms: ProduceTerms,
        checkpoint: Checkpoint | None,
        reject: Callable[[Rejected], None],
        interruption: Interruption,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.headway = Headway()
        self.draw: Callable[[], None] = lambda: None
        """Called after every call, to show how far it is."""
        self.problem: Problem | None = None
        """What ended it early, unless it was interrupted."""
        self._terms = terms
        self._checkpoint = checkpoint
        self._interruption = interruption
        self._clock = clock
        self._writer = Writer[Place](
            put,
            self._settled,
            pace=SendingPace(terms.rate),
            packing=terms.packing,
            give_up_after=terms.give_up_after,
            stop=interruption.is_asked,
            clock=clock,
            wait=wait,
        )
        self._production = Production(
            headway=self.headway,
            terms=terms,
            send=self._send,
            reject=reject,
            resumed=_positions(checkpoint),
        )
        self._began = self._clock()
        self._waits_since = 0.0
        self._is_over = False
        """Whether the stream can't be sent to any more."""

    def over(self, lines: Iterator[Line]) -> None:
        """Send the lines; when this returns no call is under way, and the checkpoint is written."""
        self._keep()
        try:
            with suppress(KeyboardInterrupt):
                self._read(lines)
        except Problem as exc:
            self.problem = exc
        finally:
            self._keep()

    def wait(self) -> None:
        """To be called again and again while a pipe is silent: sends what lingers, and ends the reading if asked to."""
        if self._interruption.is_asked():
            raise KeyboardInterrupt
        lingers = self._writer and self._clock() - self._waits_since >= LINGER
        if lingers and not self._production.is_resuming:
            while self._writer and not self._interruption.is_asked():
                self._call()

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
            records=self._writer.records,
            reasons=dict(self.headway.reasons),
            rules=dict(self.headway.rules),
            calls=self._writer.calls,
            retries=self._writer.retries,
            seconds=round(self._clock() - self._began, 3),
        )

    def _read(self, lines: Iterator[Line]) -> None:
        interrupted = self._interruption.is_asked
        try:
            for line in lines:
                self._production.take(line)
                while not (self.headway.has_room or interrupted()):
                    self._call()
                if interrupted():
                    return
            self._production.check_ends()
        finally:
            # Also where a file turned out to be unreadable: what was read of it before is sent.
            while self._writer and not (interrupted() or self._is_over or self._production.is_resuming):
                self._call()

    def _send(self, content: Content, place: Place) -> None:
        if not self._writer:
            self._waits_since = self._clock()
        self._writer.add(content, place)

    def _call(self) -> None:
        self._is_over = True
        self._writer.send()
        self._is_over = False
        self._keep()
        self.draw()

    def _settled(self, entry: Entry[Place], _answer: object) -> None:
        self.headway.events += entry.events
        for place in entry.of:
            self.headway.send(place)

    def _keep(self) -> None:
        if self._checkpoint:
            self._checkpoint.save(self._production.positions())


def _positions(checkpoint: Checkpoint | None) -> Mapping[str, FilePosition]:
    # A copy: what is saved meanwhile is of this run.
    return dict(checkpoint.positions) if checkpoint else {}
