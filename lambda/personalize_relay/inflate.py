"""Inflate gzip, zlib and zstd, never to more than a record may hold."""

import importlib
import re
import zlib
from typing import Any

from personalize_relay.errors import InvalidRecord, Reason

GZIP_MAGIC = bytes.fromhex("1f8b")
ZSTD_MAGIC = bytes.fromhex("28b52ffd")
MAX_MEMBERS = 20_000
"""The most gzip members in a row: even an empty member costs time."""
_PIECE = 4096
"""How many bytes zlib gets at a time: at the end of a member, it copies those that it gives back."""
_GZIP, _ZLIB = 31, 15
_PADDING = re.compile(rb"[\0\r\n ]*+")


def is_gzip(data: bytes) -> bool:
    """Whether the data begins like gzip."""
    return data.startswith(GZIP_MAGIC)


def is_zstd(data: bytes) -> bool:
    """Whether the data begins like zstd."""
    return data.startswith(ZSTD_MAGIC)


def is_zlib(data: bytes) -> bool:
    """Whether the data begins with a zlib header: deflate, a window of at most 32 KiB, no dictionary, a right check.

    A few texts begin like that, too ("x^", "hC").
    """
    if len(data) < 2 or data[0] & 0x8F != 0x08 or data[1] & 0x20:  # noqa: PLR2004 - the header's two bytes
        return False
    return not int.from_bytes(data[:2]) % 31


class Inflater:
    """Inflates the parts of one record, with one limit for all of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.made = 0
        """The bytes made so far, including those of parts that turned out to be broken."""
        self._full = False

    def __repr__(self) -> str:
        return f"Inflater(made={self.made}, most={self._most}, full={self._full})"

    def inflate(self, data: bytes) -> bytes:
        """The bytes in gzip, zlib or zstd; raises InvalidRecord if they can't be read or are too many.

        After too many bytes, it inflates nothing more: a record of many bombs costs no more than one bomb.
        """
        if self._full:
            raise self._too_large()
        if is_zstd(data):
            return self._zstd(data)
        return self._deflated(data, "gzip", _GZIP) if is_gzip(data) else self._deflated(data, "zlib", _ZLIB)

    def _deflated(self, data: bytes, name: str, wbits: int) -> bytes:
        members = [bytearray()]
        at = 0
        while at < len(data):
            at = self._member(data, at, members[-1], name, wbits)
            between = _PADDING.match(data, at)
            assert between  # noqa: S101 - it matches nothing, too
            at = between.end()
            if at == len(data):
                break
            if wbits != _GZIP or not is_gzip(data[at : at + 2]):
                raise _unread(f"{name} with something else behind it")
            if len(members) == MAX_MEMBERS:
                raise self._too_large()
            members.append(bytearray(b"\n" if b"\n" in between[0] else b""))
        return b"".join(members)

    def _member(self, data: bytes, at: int, out: bytearray, name: str, wbits: int) -> int:
        """Inflate one member into `out`; return where it ends."""
        decompressor = zlib.decompressobj(wbits)
        while not decompressor.eof:
            piece = data[at : at + _PIECE]
            if not piece:
                raise _unread(f"{name} that is cut off")
            try:
                out += self._count(decompressor.decompress(piece, self._most - self.made + 1))
            except zlib.error as exc:
                raise _unread(f"{name} that is broken") from exc
            at += len(piece) - len(decompressor.unused_data)
        return at

    def _zstd(self, data: bytes) -> bytes:
        try:
            zstd: Any = importlib.import_module("compression.zstd")  # since Python 3.14
        except ImportError as exc:
            raise _unread("zstd, which isn't read here") from exc
        decompressor = zstd.ZstdDecompressor()
        try:
            made = self._count(decompressor.decompress(data, self._most - self.made + 1))
        except zstd.ZstdError as exc:
            raise _unread("zstd that is broken") from exc
        if not decompressor.eof or decompressor.unused_data:
            raise _unread("zstd that is cut off, or has something else behind it")
        return made

    def _count(self, made: bytes) -> bytes:
        self.made += len(made)
        if self.made > self._most:
            self.made = self._most
            raise self._too_large()
        return made

    def _too_large(self) -> InvalidRecord:
        self._full = True
        return InvalidRecord(
            Reason.TOO_LARGE, f"the record inflates to more than {self._most >> 20} MiB: send it in parts"
        )


def _unread(what: str) -> InvalidRecord:
    return InvalidRecord(Reason.COMPRESSED_RECORD, f"the payload is {what}: compress with gzip, or not at all")
