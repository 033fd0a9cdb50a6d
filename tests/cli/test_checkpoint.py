"""A checkpoint is whole or as it was, and is taken for no other run's."""

from pathlib import Path

import pytest

from personalize_relay_cli.problems import Misuse, Problem
from personalize_relay_cli.sending.checkpoint import Checkpoint
from personalize_relay_cli.sending.headway import FilePosition

AT = FilePosition(file="a.jsonl", payloads=3, line=4, sha256="ab", unsettled=[2])


def test_what_was_saved_is_read_and_kept_beside_what_is_saved_later(tmp_path: Path) -> None:
    file = tmp_path / "at"
    Checkpoint(file, "clicks", stamped=True).save([AT])
    again = Checkpoint(file, "clicks", stamped=True)
    assert again.positions == {"a.jsonl": AT}
    other = FilePosition(file="b.jsonl", payloads=1, line=1, sha256="cd")
    again.save([other])
    assert Checkpoint(file, "clicks", stamped=True).positions == {"a.jsonl": AT, "b.jsonl": other}
    assert [path.name for path in tmp_path.iterdir()] == ["at"]


@pytest.mark.parametrize(
    ("stream", "stamped", "said"), [("views", True, "is of the stream clicks"), ("clicks", False, "without --no-stamp")]
)
def test_another_runs_is_refused(tmp_path: Path, stream: str, said: str, *, stamped: bool) -> None:
    Checkpoint(tmp_path / "at", "clicks", stamped=True).save([AT])
    with pytest.raises(Misuse, match=said):
        Checkpoint(tmp_path / "at", stream, stamped=stamped)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": "personalize-relay.checkpoint/3"}', b"\xff"])
def test_what_is_no_checkpoint_is_refused_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "at"
    file.write_bytes(content)
    with pytest.raises(Misuse, match="is no checkpoint"):
        Checkpoint(file, "clicks", stamped=True)
    assert file.read_bytes() == content


def test_a_folder_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="can't be written: there is no folder"):
        Checkpoint(tmp_path / "none" / "at", "clicks", stamped=True)


def test_a_folder_that_goes_meanwhile_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    kept = Checkpoint(tmp_path / "some" / "at", "clicks", stamped=True)
    (tmp_path / "some").rmdir()
    with pytest.raises(Problem, match="can't be written: No such file"):
        kept.save([])


def test_one_of_the_first_version_is_still_read(tmp_path: Path) -> None:
    file = tmp_path / "at"
    old = '{"file": "a.jsonl", "payloads": 3, "line": 4, "offset": 120, "sha256": "ab"}'
    file.write_text(f'{{"schema": "personalize-relay.checkpoint/1", "stream": "s", "stamped": true, "files": [{old}]}}')
    assert Checkpoint(file, "s", stamped=True).positions["a.jsonl"].unsettled == []
