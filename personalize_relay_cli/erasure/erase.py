"""Go through the bucket and take a person's events out, object by object; or say what that would be."""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from personalize_relay_cli.erasure.remainder import Eraser, Remainder
from personalize_relay_cli.erasure.rewriting import rewritten
from personalize_relay_cli.recovery.redriven import Ledger
from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.set_aside import Flaw, SetAside
from personalize_relay_cli.recovery.stored import ON_FAILURE, FailureBucket, StoredObject

MAX_ATTEMPTS = 5
"""Of an object that is written by another each time."""
MAX_EXAMPLES = 5


class Kind(msgspec.Struct, rename="camel"):
    """The objects of one kind, and their records."""

    objects: int = 0
    records: int = 0
    removed: int = 0
    """Records that go as a whole."""
    cut: int = 0
    """Records that go on without the person's events, or under another partition key."""
    changed_objects: int = 0
    """Objects that are written anew, or go."""


class ErasureAccount(msgspec.Struct, kw_only=True, rename="camel", tag_field="schema", tag="personalize-relay.erase/1"):
    """What is erased, or in a plan would be."""

    dry_run: bool = False
    quarantined: Kind = msgspec.field(default_factory=Kind)
    given_up: Kind = msgspec.field(default_factory=Kind)
    removed_along: int = 0
    """Events of others, and payloads that can't be read, which went with records that could not be kept without."""
    unreadable: Counter[str] = msgspec.field(default_factory=Counter)
    """The records that stay, as nobody can tell whose they are, by the reason."""
    examples: list[str] = msgspec.field(default_factory=list)
    """Sequence numbers of some of them."""
    flaws: list[Flaw] = msgspec.field(default_factory=list)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The objects by what they are called."""
        return {"quarantined": self.quarantined, "given up": self.given_up}

    @property
    def found(self) -> int:
        """How many records are erased as a whole or in part."""
        return sum(kind.removed + kind.cut for kind in self.kinds.values())

    @property
    def done(self) -> bool:
        """Whether all could be read, so that nothing of the person's can be left."""
        return not (self.unreadable or self.flaws)


class Erasure:
    """One run over the bucket; a dry run writes nothing anywhere."""

    def __init__(self, bucket: FailureBucket, ledger: Ledger, eraser: Eraser, *, dry_run: bool) -> None:
        self._bucket = bucket
        self._ledger = ledger
        self._eraser = eraser
        self.account = ErasureAccount(dry_run=dry_run)

    def run(self) -> ErasureAccount:
        """Go through it all; what ends it early leaves the account of what was done."""
        for found in self._bucket.contents(Selection()):
            self._object(found)
        return self.account

    def _object(self, found: StoredObject) -> None:
        for _ in range(MAX_ATTEMPTS):
            told = [(record, self._eraser.tell(record)) for record in found.records]
            remainders = {record.line: each for record, each in told if isinstance(each, Remainder)}
            if self._is_written(found, remainders):
                self._count(found, remainders)
                self._count_unreadable((record, each) for record, each in told if isinstance(each, str))
                return
            found = self._bucket.content(found.key)
        self.account.flaws.append(Flaw(found.key, None, "is changed by others all the time: try again later"))

    def _is_written(self, found: StoredObject, remainders: Mapping[int, Remainder]) -> bool:
        if found.content is None or self.account.dry_run or not remainders:
            return True
        body = rewritten(found.key, found.content.body, remainders)
        if not self._bucket.replace(found.key, found.content.etag, body):
            return False
        if body is not None:
            self._ledger.renew(found.key)
        return True

    def _count(self, found: StoredObject, remainders: Mapping[int, Remainder]) -> None:
        kind = self.account.given_up if found.key.startswith(ON_FAILURE) else self.account.quarantined
        removed = sum(each.data is None for each in remainders.values())
        kind.objects += found.content is not None
        kind.records += len(found.records)
        kind.removed += removed
        kind.cut += len(remainders) - removed
        kind.changed_objects += bool(remainders)
        self.account.removed_along += sum(each.along for each in remainders.values())
        self.account.flaws += found.flaws

    def _count_unreadable(self, left: Iterable[tuple[SetAside, str]]) -> None:
        for record, reason in left:
            self.account.unreadable[reason] += 1
            if len(self.account.examples) < MAX_EXAMPLES:
                self.account.examples.append(record.origin.sequence_number)
