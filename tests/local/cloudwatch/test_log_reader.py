"""A growing log is read line by line, each once."""

import time

from local.cloudwatch.log_reader import OVERLAP, LogReader
from local.emulator.emulator import Emulator


class Log:
    """A log group of this name."""

    def __init__(self, emulator: Emulator, name: str) -> None:
        self._logs = emulator.client("logs")
        self._group = name
        self.now = int(time.time() * 1000)
        self.reader = LogReader(self._logs, name, "sold")

    def create(self, *streams: str) -> None:
        """Make the group with these streams."""
        self._logs.create_log_group(logGroupName=self._group)
        for stream in streams:
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=stream)

    def write(self, stream: str, *lines: str, later: int = 0) -> None:
        """Write lines of a moment so many milliseconds later than the first."""
        self._logs.put_log_events(
            logGroupName=self._group,
            logStreamName=stream,
            logEvents=[{"timestamp": self.now + later, "message": line} for line in lines],
        )


def test_a_log_that_is_not_there_yet_has_no_lines(emulator: Emulator, name: str) -> None:
    log = Log(emulator, name)
    assert log.reader.new_lines() == []
    log.create("a")
    assert log.reader.new_lines() == []
    log.write("a", "sold 1")
    assert log.reader.new_lines() == ["sold 1"]


def test_each_line_with_the_word_is_read_once(emulator: Emulator, name: str) -> None:
    log = Log(emulator, name)
    log.create("a")
    log.write("a", "sold 1", "lost 1", "sold 2")
    assert log.reader.new_lines() == ["sold 1", "sold 2"]
    log.write("a", "sold 3", later=1)
    assert log.reader.new_lines() == ["sold 3"]
    log.write("a", "sold 4", later=100 * OVERLAP)
    assert log.reader.new_lines() == ["sold 4"]
    assert log.reader.new_lines() == []


def test_equal_lines_of_a_moment_are_as_many_as_were_written(emulator: Emulator, name: str) -> None:
    log = Log(emulator, name)
    log.create("a", "b")
    log.write("a", "sold 1", "sold 1")
    assert log.reader.new_lines() == ["sold 1"] * 2
    log.write("a", "sold 1")
    log.write("b", "sold 1")
    assert log.reader.new_lines() == ["sold 1"] * 2


def test_a_line_that_is_written_late_is_read(emulator: Emulator, name: str) -> None:
    log = Log(emulator, name)
    log.create("a", "b")
    log.write("a", "sold 1", later=OVERLAP)
    assert log.reader.new_lines() == ["sold 1"]
    log.write("b", "sold 2", later=1)
    assert log.reader.new_lines() == ["sold 2"]


def test_a_log_longer_than_an_answer_is_read_whole(emulator: Emulator, name: str) -> None:
    """The emulator gives out 10,000 lines, and no word of the others."""
    log = Log(emulator, name)
    log.create("a")
    for part in range(3):
        log.write("a", *(f"sold {part}-{number}" for number in range(5000)), later=part * 2 * OVERLAP)
    lines = log.reader.new_lines()
    assert len(lines) == len(set(lines)) == 15_000
