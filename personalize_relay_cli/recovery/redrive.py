"""Send again what is set aside, and account for each event: sent, rejected again, or left for a reason."""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched

from msgspec import UNSET

from personalize_relay_cli.problems import Problem
from personalize_relay_cli.recovery.account import (
    ALREADY_SENT,
    CLAIMED,
    FILTERED,
    LEDGER_FLAWED,
    NOT_SENT,
    BeforeAfter,
    RedriveAccount,
    claims,
)
from personalize_relay_cli.recovery.mending import Mended, Mender, NotMended
from personalize_relay_cli.recovery.redriven import Ledger, LedgerPage
from personalize_relay_cli.recovery.resending import MAX_RECORDS, ChunkOutcome, Sender
from personalize_relay_cli.recovery.selection import Piece, Selection
from personalize_relay_cli.recovery.set_aside import EventPosition, Flaw
from personalize_relay_cli.recovery.stored import FailureBucket
from personalize_relay_cli.sending.pace import SendingPace


class Redrive:
    """One run over what is selected; `sender` None plans only, and writes nothing anywhere.

    `rate` is in events a second; `clock` gives seconds, monotonic; `wait` lets seconds pass.
    """

    def __init__(  # noqa: PLR0913 - all that the outside world is to it
        self,
        bucket: FailureBucket,
        ledger: Ledger,
        mender: Mender,
        sender: Sender | None,
        *,
        take_over: bool = False,
        reveal: bool = False,
        rate: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._bucket = bucket
        self._ledger = ledger
        self._mender = mender
        self._sender = sender
        self._take_over = take_over
        self._most = max(1, int(min(MAX_RECORDS, rate)))
        """Events that are sent at once: a second's worth."""
        self._pace = SendingPace(rate)
        self._clock = clock
        self._wait = wait
        self._sent: set[int] = set()
        """Hashes of the identities of what is sent, in this run or before, so far as this run has seen."""
        self.account = RedriveAccount(dry_run=sender is None, samples=[] if reveal else UNSET)

    def run(self, selection: Selection) -> RedriveAccount:
        """Go through it all, object by object; what ends it early leaves the account of what was done."""
        try:
            for found in self._bucket.contents(selection):
                self.account.flaws += found.flaws
                if pieces := [piece for record in found.records for piece in selection.pieces(record)]:
                    self._object(found.key, pieces)
        except BaseException:
            self.account.left[NOT_SENT] += self.account.missing
            raise
        finally:
            self.account.left = +self.account.left  # what is 0 is not to be said
        return self.account

    def _object(self, key: str, pieces: Sequence[Piece]) -> None:
        self.account.selected += len(pieces)
        page = self._ledger.read(key)
        if isinstance(page, Flaw):
            self.account.flaws.append(page)
            self.account.left[LEDGER_FLAWED] += len(pieces)
            return
        unsent = self._unsent(key, pieces, page)
        listed = list(self._mended(unsent))
        mended = {each.position: each for each in listed}
        self.account.left[ALREADY_SENT] += len(listed) - len(mended)  # stored twice in one object
        mine, page = self._claimed(key, mended, page)
        identities = {piece.position: _identity(piece) for piece in pieces}
        if self._sender is None:
            self.account.to_send += len(mine)
            self._sent.update(identities[each.position] for each in mine)
        elif mine:
            self._send(self._sender, key, page, mine, identities)

    def _unsent(self, key: str, pieces: Sequence[Piece], page: LedgerPage) -> list[Piece]:
        """Without those that were sent, be it from another object that holds them too."""
        sent = page.sent
        self._sent.update(_identity(piece) for piece in pieces if piece.position in sent)
        unsent = [piece for piece in pieces if _identity(piece) not in self._sent]
        self.account.left[ALREADY_SENT] += len(pieces) - len(unsent)
        elsewhere = {piece.position for piece in pieces if _identity(piece) in self._sent} - sent
        if elsewhere and self._sender:
            self._ledger.settle(key, page, sent=elsewhere)
        return unsent

    def _mended(self, pieces: Iterable[Piece]) -> Iterator[Mended]:
        for piece in pieces:
            if piece.dropped:
                self.account.left[FILTERED] += 1
                continue
            if piece.event is None and piece.index is None and not piece.not_mapped:
                self.account.leave_unreadable(piece.reason, piece.record.origin.sequence_number)
                continue
            try:
                mended = self._mender.mend(piece)
            except NotMended as exc:
                self.account.reject(exc)
                self._sample(piece, rejected=exc.reason)
            else:
                self._sample(piece, after=mended.payload)
                yield mended

    def _sample(self, piece: Piece, *, after: bytes = b"null", rejected: str | None = None) -> None:
        samples = self.account.samples
        if samples is not UNSET and piece.reason not in {each.reason for each in samples}:
            samples.append(
                BeforeAfter(
                    reason=piece.reason,
                    sequence_number=piece.record.origin.sequence_number,
                    before=piece.event,
                    after=json.loads(after),
                    rejected=rejected,
                )
            )

    def _claimed(
        self, key: str, mended: dict[EventPosition, Mended], page: LedgerPage
    ) -> tuple[list[Mended], LedgerPage]:
        """Those to send, or in a plan, those that nobody else claims; and the ledger since."""
        if self._sender is None:
            mine = {each for each in mended if self._take_over or each not in page.claims}
        elif mended:
            got, page = self._ledger.claim(key, page, mended, take_over=self._take_over)
            mine = set(got)
        else:
            mine = set()
        lost = mended.keys() - mine
        self.account.left[ALREADY_SENT] += len(lost & page.sent)
        theirs = {each: mark for each, mark in page.claims.items() if each in lost}
        self.account.left[CLAIMED] += len(theirs)
        self.account.claims.extend(claims(key, theirs.values()))
        return [each for position, each in mended.items() if position in mine], page

    def _send(
        self, sender: Sender, key: str, page: LedgerPage, mine: Sequence[Mended], identities: dict[EventPosition, int]
    ) -> None:
        sent: set[EventPosition] = set()
        rejected: Counter[str] = Counter()
        under_way: set[EventPosition] = set()
        try:
            for chunk in batched(mine, self._most, strict=False):
                self._wait(self._pace.reserve(len(chunk), self._clock()))
                under_way = {each.position for each in chunk}
                outcome = sender.send(chunk)
                under_way = set()
                sent |= outcome.sent
                rejected.update(outcome.rejected.values())
                self.account.not_sent.update(outcome.failed.values())
                _check_progress(outcome)
        finally:
            self.account.sent += len(sent)
            self.account.rejected_again.update(rejected)
            self.account.left[NOT_SENT] += len(mine) - len(sent) - rejected.total()
            self._sent.update(identities[position] for position in sent)
            # What ended it early leaves a claim only on what may have been sent.
            self._ledger.settle(key, page, sent=sent, unknown=under_way)


def _check_progress(outcome: ChunkOutcome) -> None:
    """End a run that gets nothing through: the next events would fare no better."""
    if outcome.failed and not (outcome.sent or outcome.rejected):
        codes = ", ".join(sorted(set(outcome.failed.values())))
        raise Problem(f"nothing gets through, so the rest was not tried: {codes}")


def _identity(piece: Piece) -> int:
    """An event wherever it is stored, as a record may be twice: a hash, as there may be millions of them."""
    origin = piece.record.origin
    return hash((origin.stream, origin.shard_id, piece.position))
