"""The function's code in the installed package, so that an app doesn't have to build it."""

import atexit
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from aws_cdk.aws_lambda import Code

from personalize_relay.mapping_file import named

from .packed import MAPPING_FILE, add
from .refusal import InvalidSetting
from .relay_settings import RelaySettings

FUNCTION = Path(__file__).with_name("function")
"""Where `make release` puts an archive for each architecture."""


def prebuilt(settings: RelaySettings) -> Code:
    """The code for the settings' architecture and mapping; raises InvalidSetting or MappingError."""
    archive = FUNCTION / f"{settings.architecture}.zip"
    if not archive.exists():
        raise InvalidSetting(
            f"this package was built without the function's code for {settings.architecture}: install a wheel that "
            "`make release` made, or give Relay its code"
        )
    if settings.mapping:
        named(settings.mapping, settings.mapping_salt)  # runs the tests in it, too
    return Code.from_asset(str(_with(archive, settings.mapping_path) if settings.mapping_path else archive))


def _with(archive: Path, mapping: Path) -> Path:
    folder = TemporaryDirectory(prefix="personalize-relay-")
    atexit.register(folder.cleanup)  # not before the CDK has copied it
    copy = Path(folder.name) / archive.name
    shutil.copy(archive, copy)
    with ZipFile(copy, "a") as opened:
        add(opened, MAPPING_FILE, mapping.read_bytes())
    return copy
