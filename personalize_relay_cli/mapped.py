"""`relay map`: see what mappings there are, run their tests, and try one on records."""

import shutil
import time
from itertools import islice
from typing import Annotated

import typer

from personalize_relay import mapping_file, mapping_tests
from personalize_relay.errors import MappingError
from personalize_relay.mapping_file import MappingFile
from personalize_relay_cli.input.reading import read
from personalize_relay_cli.input.remarks import Remarks
from personalize_relay_cli.mapping import text
from personalize_relay_cli.mapping.trial import MappingTrial
from personalize_relay_cli.options import FilesArgument, InputFormatOption, OutputOption
from personalize_relay_cli.printing import Output, document, print_lines, print_result, remark
from personalize_relay_cli.problems import FAILED, Misuse

app = typer.Typer(
    no_args_is_help=True,
    help="""See, test and try mappings of other formats to events.

    A mapping is a TOML file of rules, docs/mapping.md teaches it; a preset is one
    that comes with the relay, such as segment.

    [bold]relay map show[/]
    [bold]relay map show segment > mapping.toml[/]
    [bold]relay map test mapping.toml[/]
    [bold]relay map try mapping.toml records.jsonl[/]
    """,
)

MappingName = Annotated[str, typer.Argument(metavar="MAPPING", help="A TOML file, or the name of a preset.")]


@app.command()
def show(
    preset: Annotated[str | None, typer.Argument(metavar="PRESET", help="Print this one (default: list all).")] = None,
) -> None:
    """Print a preset, to use it or to start from it; without a name, list them.

    The head of a preset says where each member comes from and what is dropped.

    [bold]relay map show[/]
    [bold]relay map show segment > mapping.toml[/]
    """
    if preset is None:
        sources = {name: mapping_file.source(name) for name in mapping_file.PRESETS}
        read = {name: mapping_file.read(toml, file=name, salt=mapping_file.TEST_SALT) for name, toml in sources.items()}
        print_lines(text.presets({name: each.description for name, each in read.items()}))
    elif preset in mapping_file.PRESETS:
        print_lines([mapping_file.source(preset).removesuffix("\n")])
    else:
        raise Misuse(f"{preset}: is no preset: there are {', '.join(mapping_file.PRESETS)}")


@app.command("test")
def run_tests(mapping: MappingName, *, output: OutputOption = Output.TEXT) -> int:
    """Run the tests that a mapping holds, and say what came where one fails.

    An expected event is what the expressions give; the test fails, too, where the
    function would reject that. hash() has the salt `test` here.
    Exit status: 0 all passed, 1 one failed or there is none, 2 a wrong file.

    [bold]relay map test mapping.toml[/]
    [bold]relay map test segment --format json[/]
    """
    held = _read(mapping)
    failures = {each.name: mapping_tests.failure(each, held.mapping) for each in held.tests}
    failed = sum(wrong is not None for wrong in failures.values())
    listed = [{"test": name, "failure": wrong} for name, wrong in failures.items()]
    print_result(output, document("map-test", tests=listed, failed=failed), text.tests(failures))
    return FAILED if failed or not failures else 0


@app.command("try")
def try_(  # noqa: PLR0913 - an option each
    mapping: MappingName,
    records: FilesArgument,
    *,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Read at most N records.")] = 10,
    input_format: InputFormatOption = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show payloads and events, not only their shape.")] = False,
    output: OutputOption = Output.TEXT,
) -> int:
    """Show what a mapping makes of records: the payload left, the events right.

    Each by its rule, with what the function would reject and why. Shows the kinds
    of values only, and no name of the payload's, without --reveal.
    Exit status: 0 none is rejected, 1 one is or a file is empty, 2 wrong usage or
    a wrong mapping.

    [bold]relay map try mapping.toml records.jsonl[/]
    [bold]relay map try segment records.jsonl --limit 100 --reveal[/]
    """
    its = _read(mapping).mapping
    trial, remarks = MappingTrial(its, time.time()), Remarks(remark, reveal=reveal)
    tried = trial.run(islice(read(records, form=input_format, remarks=remarks, mapping=its), limit))
    if output is Output.JSON:
        listed = [text.tried_json(each, reveal=reveal) for each in tried]
        counts = {"payloads": trial.payloads, "events": trial.events, "dropped": trial.dropped}
        print_result(output, document("map-try", tried=listed, **counts, rejected=trial.rejected), ())
    else:
        width = shutil.get_terminal_size().columns
        for each in tried:
            print_lines(text.tried(each, reveal=reveal, width=width))
        print_lines([text.summary(trial)])
    return FAILED if trial.rejected or remarks.empty else 0


def _read(mapping: str) -> MappingFile:
    try:
        return mapping_file.read(mapping_file.source(mapping), file=mapping, salt=mapping_file.TEST_SALT)
    except MappingError as exc:
        raise Misuse(str(exc)) from exc
