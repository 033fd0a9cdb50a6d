"""`make release`: the wheel, the function's code for each processor, and the template that needs neither."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from .bundling import WHEEL_PLATFORMS, bundle
from .packed import pack
from .prebuilt import FUNCTION
from .release_template import NAME, archive_name, template

ROOT = Path(__file__).resolve().parent.parent


def release(folder: Path) -> list[Path]:
    """Write the files of a release into a folder; the version is that of the last tag."""
    FUNCTION.mkdir(exist_ok=True)
    for architecture in WHEEL_PLATFORMS:
        pack(bundle(root=ROOT, architecture=architecture), FUNCTION / f"{architecture}.zip")
    wheel = build_wheel(folder)
    version = wheel.name.split("-")[1]
    archives = [
        Path(shutil.copy(FUNCTION / f"{architecture}.zip", folder / archive_name(version, architecture)))
        for architecture in WHEEL_PLATFORMS
    ]
    return [wheel, *archives, write_template(folder, version)]


def build_wheel(folder: Path) -> Path:
    """Build the package, with the archives of the function's code in the construct's folder."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(  # noqa: S603 - every word of the command is written here
        [uv, "build", "--quiet", "--wheel", "--out-dir", folder], cwd=ROOT, check=True
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def write_template(folder: Path, version: str) -> Path:
    """Write the template without white space: CloudFormation takes 51,200 bytes in a call."""
    path = folder / f"{NAME}-{version}.template.json"
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    path.write_text(json.dumps(template(version, context), separators=(",", ":")) + "\n")
    return path


if __name__ == "__main__":
    for written in release(Path(sys.argv[1]).resolve()):
        print(f"{written.stat().st_size:>11,}  {written}")  # noqa: T201 - a command's output
