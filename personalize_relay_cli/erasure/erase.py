"""Go through the bucket and take a person's events out, object by object; or say what that would be."""

from collections import Counter

import msgspec

from personalize_relay_cli.erasure.objects import Objects
from personalize_relay_cli.erasure.remainder import Eraser, Remainder
from personalize_relay_cli.erasure.rewriting import rewritten
from personalize_relay_cli.recovery.redriven import Ledger
from personalize_relay_cli.recovery.selection import Selection
from personalize_relay_cli.recovery.set_aside import Flaw
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
    """One run over the bucket; with `objects` None it plans only, and writes nothing anywhere."""

    def __init__(self, bucket: FailureBucket, ledger: Ledger, eraser: Eraser, objects: Objects | None) -> None:
        self._bucket = bucket
        self._ledger = ledger
        self._eraser = eraser
        self._objects = objects
        self.account = ErasureAccount(dry_run=objects is None)

    def run(self) -> ErasureAccount:
        """Go through it all; what ends it early leaves the account of what was done."""
        for found in self._bucket.contents(Selection()):
            self._object(found)
        return self.account

    def _object(self, found: StoredObject | Flaw) -> None:
        for _ in range(MAX_ATTEMPTS):
            if isinstance(found, Flaw):
                self.account.flaws.append(found)
                return
            told = _Object(found, self._eraser)
            if self._is_written(found, told):
                told.count(self.account)
                return
            found = self._bucket.content(found.key)
        self.account.flaws.append(Flaw(told.key, None, "is changed by others all the time: try again later"))

    def _is_written(self, found: StoredObject, told: "_Object") -> bool:
        if self._objects is None or not told.remainders:
            return True
        body = rewritten(found.key, found.body, told.remainders)
        if not self._objects.replace(found.key, found.etag, body):
            return False
        if body is not None:
            self._ledger.renew(found.key)
        return True


class _Object:
    """What becomes of an object's records, not yet counted: it may have to be read again."""

    def __init__(self, content: StoredObject, eraser: Eraser) -> None:
        self.key = content.key
        self.remainders: dict[int, Remainder] = {}
        self._records = 0
        self._flaws: list[Flaw] = []
        self._unreadable: list[tuple[str, str]] = []
        for record in content.records:
            if isinstance(record, Flaw):
                self._flaws.append(record)
                continue
            self._records += 1
            told = eraser.tell(record)
            if told.remainder:
                self.remainders[record.line] = told.remainder
            elif told.unreadable:
                self._unreadable.append((told.unreadable, record.origin.sequence_number))

    def count(self, account: ErasureAccount) -> None:
        kind = account.given_up if self.key.startswith(ON_FAILURE) else account.quarantined
        removed = sum(each.data is None for each in self.remainders.values())
        kind.objects += 1
        kind.records += self._records
        kind.removed += removed
        kind.cut += len(self.remainders) - removed
        kind.changed_objects += bool(self.remainders)
        account.removed_along += sum(each.along for each in self.remainders.values())
        account.unreadable.update(reason for reason, _ in self._unreadable)
        account.examples += [number for _, number in self._unreadable][: MAX_EXAMPLES - len(account.examples)]
        account.flaws += self._flaws
