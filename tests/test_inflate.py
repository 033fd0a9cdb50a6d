"""Inflating within the room that a record has."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_relay import inflate
from personalize_relay.errors import InvalidRecord, Reason
from personalize_relay.inflate import MAX_MEMBERS, Inflater

ROOM = 10_000


def reason(data: bytes, inflater: Inflater | None = None) -> Reason | None:
    """Why bytes are rejected; None where they are inflated."""
    try:
        (inflater or Inflater(ROOM)).inflate(data)
    except InvalidRecord as bad:
        return bad.reason
    return None


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.sampled_from([b"", b"\n", bytes(512)]))
def test_gzip_of_any_number_of_members_is_read(parts: list[bytes], padding: bytes) -> None:
    data = b"".join(map(gzip.compress, parts)) + padding
    assert inflate.is_gzip(data)
    assert Inflater(ROOM).inflate(data) == b"".join(parts)


@given(st.binary(max_size=300), st.integers(1, 9))
def test_zlib_is_read_at_every_level(content: bytes, level: int) -> None:
    data = zlib.compress(content, level)
    assert inflate.is_zlib(data)
    assert Inflater(ROOM).inflate(data) == content


@pytest.mark.parametrize("window", range(9, 16))
def test_zlib_is_known_whatever_its_window(window: int) -> None:
    compressor = zlib.compressobj(wbits=window)
    assert inflate.is_zlib(compressor.compress(b"") + compressor.flush())


@pytest.mark.parametrize("data", [b"", b"x", b"xx", b"\x79\x9c", b"\x88\x1c", b"\x78\xbb", b'{"', b"[{"])
def test_what_has_no_zlib_header_is_no_zlib(data: bytes) -> None:
    assert not inflate.is_zlib(data)


def test_what_is_longer_than_a_piece_is_read() -> None:
    content = bytes(range(256)) * 30 + b"end"
    for data in (gzip.compress(content, 0), zlib.compress(content, 0)):
        assert Inflater(ROOM).inflate(data) == content


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b"content", mtime=0)[:-1],
        zlib.compress(b"content")[:-1],
        gzip.compress(b"content", mtime=0) + b"behind",
        gzip.compress(b"content", mtime=0) + bytes(5000) + b"behind",
        gzip.compress(b"content", mtime=0) + gzip.compress(b"content", mtime=0)[:-1],
        zlib.compress(b"content") + zlib.compress(b"content"),
        gzip.compress(b"content", mtime=0)[:-8] + bytes(8),
        bytes.fromhex("1f8b08"),
        bytes.fromhex("1f8b0000000000000000"),
        bytes.fromhex("28b52ffd") + bytes(20),
    ],
)
def test_what_cannot_be_read_whole_is_rejected(data: bytes) -> None:
    assert reason(data) == Reason.COMPRESSED_RECORD


def test_zstd_is_named() -> None:
    with pytest.raises(InvalidRecord, match=r"zstd.*gzip"):
        Inflater(ROOM).inflate(bytes.fromhex("28b52ffd24108100"))


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_as_much_as_there_is_room_for_is_inflated_and_not_a_byte_more(compress: Callable[[bytes], bytes]) -> None:
    inflater = Inflater(ROOM)
    assert inflater.inflate(compress(bytes(ROOM - 1))) == bytes(ROOM - 1)
    assert inflater.inflate(compress(bytes(1))) == bytes(1)
    assert inflater.made == ROOM
    assert inflater.inflate(compress(b"")) == b""
    assert reason(compress(bytes(1)), inflater) == Reason.TOO_LARGE
    assert reason(compress(bytes(ROOM + 1))) == Reason.TOO_LARGE


def test_members_share_the_room() -> None:
    assert reason(gzip.compress(bytes(ROOM)) + gzip.compress(bytes(1))) == Reason.TOO_LARGE


def test_after_a_bomb_nothing_more_is_inflated() -> None:
    inflater = Inflater(ROOM)
    assert reason(gzip.compress(bytes(ROOM + 1)), inflater) == Reason.TOO_LARGE
    assert inflater.made == ROOM
    assert reason(gzip.compress(b"", mtime=0), inflater) == Reason.TOO_LARGE
    assert "full=True" in repr(inflater)


def test_what_turns_out_to_be_broken_counts() -> None:
    inflater = Inflater(ROOM)
    assert reason(gzip.compress(bytes(6000))[:-1], inflater) == Reason.COMPRESSED_RECORD
    assert inflater.made == 6000
    assert reason(gzip.compress(bytes(6000)), inflater) == Reason.TOO_LARGE


def test_members_without_end_are_too_many() -> None:
    empty = gzip.compress(b"", mtime=0)
    assert Inflater(ROOM).inflate(empty * MAX_MEMBERS) == b""
    assert reason(empty * (MAX_MEMBERS + 1)) == Reason.TOO_LARGE


def test_a_bomb_takes_no_more_memory_than_its_room() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    tracemalloc.start()
    assert reason(bomb) == Reason.TOO_LARGE
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
