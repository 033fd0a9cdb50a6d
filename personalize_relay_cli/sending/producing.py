"""From a line of a file to a record of the stream: numbered, mapped, stamped, checked, handed to the sender."""

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from personalize_relay import events
from personalize_relay.mapping import Mapping as PayloadMapping
from personalize_relay.parsing import parse
from personalize_relay_cli.checking import checks
from personalize_relay_cli.input.reading import Line
from personalize_relay_cli.problems import Misuse
from personalize_relay_cli.sending.contents import Content, as_given, by_mapping
from personalize_relay_cli.sending.event_ids import Stamper
from personalize_relay_cli.sending.headway import FilePosition, Headway, Place
from personalize_relay_cli.sending.outbox import MAX_RECORD_BYTES
from personalize_relay_cli.sending.put_records import GIVE_UP_AFTER

TOO_LARGE = "record_too_large"
"""The one reason of this module's own: the others are the function's."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A payload that is not sent, and why; `detail` holds nothing of it."""

    line: Line
    index: int | None
    reason: str
    detail: str


_TRACKERS = checks.trackers(None, ())  # which ones the deployed function takes is not known here


@dataclass(frozen=True, slots=True, kw_only=True)
class ProduceTerms:
    """How a run sends."""

    stream: str
    rate: float = math.inf
    give_up_after: float = GIVE_UP_AFTER
    stamping: bool = True
    validating: bool = True
    packing: bool = True
    mapping: PayloadMapping | None = None
    """What makes events of the payloads, which are of the contract without it."""


@dataclass(slots=True)
class _File:
    """One input file, as far as it was read."""

    resumed: FilePosition | None
    unsettled: frozenset[int]
    stamper: Stamper | None
    is_resuming: bool
    """Whether it is not yet known to be the file that an earlier run read."""
    payloads: int = 0
    digest: bytes = b""

    def is_known(self, payload: int) -> bool:
        """Whether an earlier run settled a payload."""
        return self.resumed is not None and payload <= self.resumed.payloads and payload not in self.unsettled


@dataclass(slots=True, kw_only=True)
class Production:
    """What is done with each line, in order; `send` and `reject` hear of it."""

    headway: Headway
    terms: ProduceTerms
    send: Callable[[Content, Place], None]
    reject: Callable[[Rejected], None]
    resumed: Mapping[str, FilePosition]
    skipped: int = 0
    """How many payloads an earlier run settled."""
    _files: dict[str, _File] = field(default_factory=dict)

    @property
    def is_resuming(self) -> bool:
        """Whether the file that is read is not yet known to be the one that an earlier run read."""
        return any(file.is_resuming for file in self._files.values())

    def positions(self) -> list[FilePosition]:
        """How far the files are settled, but for those that an earlier run has settled further."""
        return [each for each in self.headway.positions() if not self._files[each.file].is_resuming]

    def take(self, line: Line) -> None:
        """Send the line's payload, or reject it, or skip what was settled before."""
        file = self._file(line.file)
        file.payloads += 1
        file.digest = hashlib.sha256(file.digest + line.data).digest()
        self._check_resumed(line.file, file)
        mapping, stamper = self.terms.mapping, file.stamper
        content = by_mapping(line.data, stamper, mapping) if mapping else as_given(line.data, stamper)
        place = Place(line.file, file.payloads, line.number, file.digest, len(line.data) + 1)
        if file.is_known(file.payloads):
            self.skipped += 1
            self.headway.skip(place)
            return
        self.headway.open(place)
        rejected = self._rejected(line, content) or _too_large(line, content)
        if rejected:
            self.headway.reject(place, rejected.reason)
            self.reject(rejected)
            return
        self.headway.rules.update(content.filtered)
        if content.is_dropped:
            self.headway.filter(place)
        else:
            self.send(content, place)

    def check_ends(self) -> None:
        """Raise Misuse where a file ended before the point where it was to be resumed."""
        for name, file in self._files.items():
            if file.resumed and file.is_resuming:
                raise Misuse(_other_file(name, file.resumed))

    def _file(self, name: str) -> _File:
        if name not in self._files:
            # Files come one after another: the counters of the last are not needed any more.
            for file in self._files.values():
                file.stamper = None
            resumed = self.resumed.get(name)
            unsettled = frozenset(resumed.unsettled if resumed else ())
            stamper = Stamper() if self.terms.stamping else None
            self._files[name] = _File(resumed, unsettled, stamper, is_resuming=resumed is not None)
        return self._files[name]

    def _check_resumed(self, name: str, file: _File) -> None:
        if file.resumed and file.payloads == file.resumed.payloads:
            if file.digest.hex() != file.resumed.sha256:
                raise Misuse(_other_file(name, file.resumed))
            file.is_resuming = False

    def _rejected(self, line: Line, content: Content) -> Rejected | None:
        if self.terms.validating:
            # The line as it was given: the function is not to take for its name what it would refuse for the rest.
            origin = events.Origin(stream="", shard_id="", sequence_number="0", arrival=time.time())
            for each in parse(line.data, origin, _TRACKERS, self.terms.mapping).rejections:
                return Rejected(line, each.index, each.reason, each.detail)
        return Rejected(line, None, content.bad.reason, content.bad.detail) if content.bad else None


def _other_file(name: str, resumed: FilePosition) -> str:
    return (
        f"{name}: is not the file that the checkpoint was written for: the first {resumed.payloads:,} payloads, "
        "to where it would go on, differ; give another --checkpoint to send this file"
    )


def _too_large(line: Line, content: Content) -> Rejected | None:
    size = len(content.data) + len(content.key.encode())
    if size <= MAX_RECORD_BYTES:
        return None
    return Rejected(
        line, None, TOO_LARGE, f"it has {size:,} bytes with its partition key, may have {MAX_RECORD_BYTES:,}"
    )
