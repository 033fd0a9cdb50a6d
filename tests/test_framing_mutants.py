"""The framing is really guarded: break it on purpose, and its test goes red."""

import random
from pathlib import Path

import pytest

from tests.mutation import Mutant, outdated

pytestmark = pytest.mark.slow  # each runs a test file on a broken copy

SAMPLE = 2

FRAMING = "tests/test_framing.py::"
VALUES = "tests/test_json_values.py::"
AGGREGATE = "tests/test_aggregate.py::"
INFLATE = "tests/test_inflate.py::"
RECOGNISE = "tests/test_recognise.py::"

MUTANTS = {
    "takes Parquet for a row": Mutant(
        "framing.py",
        'rb"(?!PAR1)',
        'rb"',
        FRAMING + "test_a_row_that_is_a_whole_record_is_read_as_one_among_others",
    ),
    "takes a number and blanks for a row": Mutant(
        "framing.py",
        '[\\t,;|]\\s*[^\\s\\0]"',
        '[\\t,;|]"',
        FRAMING + "test_a_row_that_is_a_whole_record_is_read_as_one_among_others",
    ),
    "takes several rows for one": Mutant(
        "framing.py",
        ' and b"\\n" not in line',
        "",
        FRAMING + "test_a_row_that_is_a_whole_record_is_read_as_one_among_others",
    ),
    "reads a row that is not ASCII without a look": Mutant(
        "framing.py",
        " and line.isascii()",
        "",
        FRAMING + "test_a_row_that_is_a_whole_record_is_read_as_one_among_others",
    ),
    "reads a layer less": Mutant(
        "framing.py",
        "if self.layers == MAX_LAYERS:",
        "if self.layers == MAX_LAYERS - 1:",
        FRAMING + "test_four_layers_are_read_and_five_are_not",
    ),
    "reads a layer more": Mutant(
        "framing.py",
        "if self.layers == MAX_LAYERS:",
        "if self.layers > MAX_LAYERS:",
        FRAMING + "test_four_layers_are_read_and_five_are_not",
    ),
    "takes an array for no layer": Mutant(
        "framing.py",
        "inner = way.deeper()",
        "inner = way",
        FRAMING + "test_everything_that_packs_is_a_layer",
    ),
    "takes compression for no layer": Mutant(
        "framing.py",
        "            way = way.deeper()\n            self._bytes(self._inflater",
        "            self._bytes(self._inflater",
        FRAMING + "test_everything_that_packs_is_a_layer",
    ),
    "numbers what stands alone": Mutant(
        "framing.py",
        "inner if len(parts) == 1 else inner.to(index)",
        "inner.to(index)",
        FRAMING + "test_places_are_nested_as_what_they_are_in",
    ),
    "numbers from one": Mutant(
        "framing.py",
        "inner.to(index)",
        "inner.to(index + 1)",
        FRAMING + "test_places_are_nested_as_what_they_are_in",
    ),
    "forgets the place of the layer around": Mutant(
        "framing.py",
        "place=(*self.place, index)",
        "place=(index,)",
        FRAMING + "test_events_come_out_as_they_went_in_however_they_are_packed",
    ),
    "rejects a record for one part": Mutant(
        "framing.py",
        "            self._attempt(read, part, inner if",
        "            read(part, inner if",
        FRAMING + "test_the_bad_is_rejected_in_its_place_and_the_rest_is_read",
    ),
    "lets an empty list vanish": Mutant(
        "framing.py",
        'raise InvalidRecord(Reason.EMPTY_RECORD, "the payload holds nothing")',
        "return",
        FRAMING + "test_nothing_vanishes_what_cannot_be_read_is_one_rejected_payload",
    ),
    "takes a payload more": Mutant(
        "framing.py",
        "if len(self._payloads) == MAX_PAYLOADS:",
        "if len(self._payloads) > MAX_PAYLOADS:",
        FRAMING + "test_as_many_payloads_as_allowed_are_read_and_not_one_more",
    ),
    "decodes lists of millions": Mutant(
        "framing.py",
        "if self._marks > _MAX_MARKS:",
        "if False:",
        FRAMING + "test_a_bomb_is_one_rejected_payload_in_bounded_memory",
    ),
    "counts the values of each text on its own": Mutant(
        "framing.py",
        "self._marks += sum(",
        "self._marks = sum(",
        FRAMING + "test_a_bomb_is_one_rejected_payload_in_bounded_memory",
    ),
    "counts nothing in small texts": Mutant(
        "framing.py",
        "first, self._first = self._first, False",
        "first = True",
        FRAMING + "test_a_bomb_is_one_rejected_payload_in_bounded_memory",
    ),
    "joins the members of gzip that stand on lines": Mutant(
        "inflate.py",
        """b"\\n" if b"\\n" in between[0] else b"\"""",
        'b""',
        FRAMING + "test_gzip_members_may_stand_on_lines_of_their_own",
    ),
    "reads JSON among rows as a row": Mutant(
        "framing.py",
        "            if value is not None:\n                self._value",
        "            if False:\n                self._value",
        FRAMING + "test_lines_of_json_may_stand_among_rows",
    ),
    "keeps the byte order mark": Mutant(
        "framing.py",
        "data = data.removeprefix(_BOM)",
        "pass",
        FRAMING + "test_a_byte_order_mark_is_no_layer_and_stands_before_any_text",
    ),
    "reads base64 again and again": Mutant(
        "framing.py",
        "way.deeper(base64=True)",
        "way.deeper()",
        FRAMING + "test_base64_is_read_once_and_only_where_something_known_is_in_it",
    ),
    "takes any word for base64": Mutant(
        "framing.py",
        "    if not _begins_known(binascii.a2b_base64(letters[:8])):\n        return None\n",
        "",
        FRAMING + "test_text_that_is_no_json_is_read_as_rows_where_a_mapping_has_columns",
    ),
    "reads strings in strings": Mutant(
        "framing.py",
        "way.deeper(text=True)",
        "way.deeper()",
        FRAMING + "test_a_string_that_holds_json_is_read_once",
    ),
    "takes a control message for an event": Mutant(
        "framing.py",
        '            case {"messageType": "CONTROL_MESSAGE", "logEvents": [*_]}:\n                self._control += 1\n',
        "",
        FRAMING + "test_control_messages_are_counted_and_hold_no_payloads",
    ),
    "hands CloudWatch Logs on unread": Mutant(
        "framing.py",
        'and "messageType" not in value',
        "",
        FRAMING + "test_control_messages_are_counted_and_hold_no_payloads",
    ),
    "reads broken JSON as a row": Mutant(
        "framing.py",
        "return not _JSON_BEGINS.match(data) or (",
        "return True or (",
        FRAMING + "test_text_that_is_no_json_is_read_as_rows_where_a_mapping_has_columns",
    ),
    "does not check the checksum": Mutant(
        "aggregate.py",
        "if hashlib.md5(message, usedforsecurity=False).digest() != digest:",
        "if not digest:",
        AGGREGATE + "test_a_single_changed_bit_is_found",
    ),
    "stops at the first byte of a number": Mutant(
        "aggregate.py",
        "if byte < _ANOTHER_FOLLOWS:",
        "if byte:",
        FRAMING + "test_ten_thousand_records_in_an_aggregate",
    ),
    "takes every number for one of a single byte": Mutant(
        "aggregate.py",
        " and message[at] < _ANOTHER_FOLLOWS:",
        ":",
        FRAMING + "test_ten_thousand_records_in_an_aggregate",
    ),
    "reads a field beyond its end": Mutant(
        "aggregate.py",
        "if at > len(message) or not number:",
        "if not number:",
        AGGREGATE + "test_what_breaks_the_format_is_rejected_whole",
    ),
    "drops a record without data": Mutant(
        "aggregate.py",
        "    if data is None:\n        raise _broken()\n    return data",
        '    return data or b""',
        AGGREGATE + "test_what_breaks_the_format_is_rejected_whole",
    ),
    "inflates a byte too many": Mutant(
        "inflate.py",
        "if self.made > self._most:",
        "if self.made > self._most + 1:",
        INFLATE + "test_as_much_as_there_is_room_for_is_inflated_and_not_a_byte_more",
    ),
    "inflates without limit": Mutant(
        "inflate.py",
        "decompressor.decompress(piece, self._most - self.made + 1)",
        "decompressor.decompress(piece)",
        INFLATE + "test_a_bomb_takes_no_more_memory_than_its_room",
    ),
    "gives each part of a record the whole room": Mutant(
        "inflate.py",
        "        if self._full:\n",
        "        self.made = 0\n        if self._full:\n",
        FRAMING + "test_as_many_bytes_as_allowed_are_inflated_over_all_layers",
    ),
    "goes on inflating after a bomb": Mutant(
        "inflate.py",
        "        self._full = True\n",
        "",
        INFLATE + "test_after_a_bomb_nothing_more_is_inflated",
    ),
    "reads the first member of gzip only": Mutant(
        "inflate.py",
        "            if at == len(data):\n                break\n",
        "            break\n",
        FRAMING + "test_gzip_of_several_members_is_one_text",
    ),
    "ignores what stands behind gzip": Mutant(
        "inflate.py",
        'raise _unread(f"{name} with something else behind it")',
        "break",
        INFLATE + "test_what_cannot_be_read_whole_is_rejected",
    ),
    "takes gzip that is cut off for whole": Mutant(
        "inflate.py",
        'raise _unread(f"{name} that is cut off")',
        "break",
        INFLATE + "test_what_cannot_be_read_whole_is_rejected",
    ),
    "never finds the next value": Mutant(
        "ends.py",
        "        return line\n",
        "        return len(self._text)\n",
        VALUES + "test_however_many_lines_are_broken_the_good_ones_are_read",
    ),
    "does not look for the end of a broken value": Mutant(
        "json_values.py",
        "closed = self._ends.closed(at)",
        "closed = None",
        VALUES + "test_a_broken_value_that_is_closed_is_one_rejection_whatever_the_separator",
    ),
    "takes a brace in a text for one": Mutant(
        "ends.py",
        """|"(?:[^"\\\\\\n]|\\\\.)*+")""",
        '|")',
        VALUES + "test_a_broken_value_that_is_closed_is_one_rejection_whatever_the_separator",
    ),
    "takes a bracket for a brace": Mutant(
        "ends.py",
        "elif opened.pop() != _CLOSES[mark]:",
        "elif not opened.pop():",
        VALUES + "test_a_list_that_is_not_closed_where_it_was_opened_is_rejected_whole",
    ),
    "makes an event of the beginning of a broken one": Mutant(
        "json_values.py",
        "            if self._surely_ends(at, end, fresh=fresh):\n",
        "            if end:\n",
        VALUES + "test_what_is_one_broken_payload_is_one_rejection",
    ),
    "takes bytes of another encoding for characters": Mutant(
        "json_values.py",
        "recognise.not_utf8(found.start() - at) if found else value",
        "value",
        VALUES + "test_of_a_list_with_a_broken_entry_the_others_are_read",
    ),
    "rejects a list for one broken entry": Mutant(
        "json_values.py",
        "return self._good_entries(chunk) or _why(chunk), closed",
        "return _why(chunk), closed",
        VALUES + "test_of_a_list_with_a_broken_entry_the_others_are_read",
    ),
    "reads a text over and over": Mutant(
        "json_values.py",
        "if self._work > 0 else",
        "if True else",
        VALUES + "test_text_is_not_read_over_and_over",
    ),
    "takes a line that is too deep for the whole text": Mutant(
        "json_values.py",
        "            return line_end\n",
        "            return len(self._text)\n",
        VALUES + "test_however_many_lines_are_broken_the_good_ones_are_read",
    ),
    "takes what stands in a broken value for an event": Mutant(
        "ends.py",
        "        if last not in _MORE or following == _RECORD_SEPARATOR or self._read(lines):\n",
        "        if True:\n",
        VALUES + "test_what_stands_in_a_broken_value_is_no_value_of_its_own",
    ),
    "takes a record separator for a part of the broken value": Mutant(
        "ends.py",
        " or following == _RECORD_SEPARATOR",
        "",
        FRAMING + "test_a_json_text_sequence_is_its_values_and_a_broken_one_is_rejected_alone",
    ),
    "takes the line after a comma for a part of the broken one": Mutant(
        "ends.py",
        """self._opened[-1] == "[" or following""",
        "True or following",
        VALUES + "test_lines_may_end_in_commas_and_a_broken_one_is_rejected_alone",
    ),
    "takes the entries of a list that is cut off for a part of the first": Mutant(
        "ends.py",
        """if last == ":" or not self._count["{"]:""",
        """if last == ":":""",
        VALUES + "test_of_a_list_over_lines_that_is_cut_off_the_entries_after_the_first_are_read",
    ),
    "reads a value more than asked for": Mutant(
        "json_values.py",
        "if not self._left:",
        "if self._left <= -1:",
        VALUES + "test_no_more_values_are_read_than_asked_for",
    ),
    "lets each list have as many entries": Mutant(
        "json_values.py",
        "        self._left -= min(self._left, len(entries))\n",
        "",
        VALUES + "test_broken_lists_share_the_bound",
    ),
    "takes numbers of any kind for values": Mutant(
        "json_values.py",
        "all(type(each) in _CONTAINERS for each in joined)",
        "True",
        VALUES + "test_what_is_one_broken_payload_is_one_rejection",
    ),
    "takes a stray NUL for UTF-16": Mutant(
        "recognise.py",
        "half.count(0) == len(half) > 1",
        "half.count(0) == len(half)",
        RECOGNISE + "test_a_stray_nul_is_no_utf_16",
    ),
    "does not know Python's repr": Mutant(
        "recognise.py",
        "if _PYTHON.search(head):",
        "if head is None:",
        RECOGNISE + "test_what_is_no_json_is_named",
    ),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Break a sample of the framing, or all."""
    if "mutant" in metafunc.fixturenames:
        draw = random.Random(3)  # noqa: S311 - a fixed sample
        everything = metafunc.config.getoption("--verify")
        metafunc.parametrize("mutant", MUTANTS if everything else draw.sample([*MUTANTS], SAMPLE))


def test_breaking_the_framing_turns_its_test_red(mutant: str, tmp_path: Path) -> None:
    MUTANTS[mutant].check(tmp_path)


def test_every_mutant_changes_code_that_is_there_and_names_a_test_that_is() -> None:
    assert not outdated(MUTANTS)
