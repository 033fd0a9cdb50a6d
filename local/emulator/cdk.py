"""Deploys a CDK app to the emulator with the CDK command line, as `make deploy` does to an account."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.emulator.clients import ACCOUNT, CREDENTIALS, REGION

PROJECT = Path(__file__).resolve().parents[2]
_COMMAND = PROJECT / "node_modules" / ".bin" / "cdk"
_LINES_SHOWN = 30
_LOOPBACK = "127.0.0.1,localhost"


class DeployError(Exception):
    """The CDK command failed; the message ends with what it printed last."""


@dataclass(frozen=True, slots=True)
class Cdk:
    """The CDK command line, pointed at the emulator's `endpoint`; it writes only to `folder`."""

    endpoint: str
    folder: Path
    project: Path = PROJECT

    def deploy(self, stack: str | None, context: Mapping[str, str]) -> dict[str, str]:
        """Synthesize `project`, bootstrap and deploy; returns the stack's outputs, raises DeployError.

        Without `stack`, the app has only one.
        """
        assembly = self.folder / "cdk.out"
        chosen = [word for name, value in context.items() for word in ("--context", f"{name}={value}")]
        self._run(["synth", "--quiet", "--output", str(assembly), *chosen], self._machine())
        self.bootstrap(assembly)
        return self.deploy_assembly(assembly, stack)

    def bootstrap(self, assembly: Path) -> None:
        """Prepare the account for deployments of a synthesized app; raises DeployError."""
        self._run(["bootstrap", "--app", str(assembly), f"aws://{ACCOUNT}/{REGION}"], self._clean())

    def deploy_assembly(self, assembly: Path, stack: str | None = None) -> dict[str, str]:
        """Deploy a synthesized app to a bootstrapped account; otherwise like `deploy`."""
        outputs = self.folder / "outputs.json"
        told = ("--app", str(assembly), "--require-approval", "never", "--outputs-file", str(outputs))
        self._run(["deploy", *told, *([stack] if stack else [])], self._clean())
        deployed: dict[str, dict[str, str]] = json.loads(outputs.read_text())
        return deployed.get(stack, {}) if stack else next(iter(deployed.values()), {})

    def _run(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        process = subprocess.Popen(  # noqa: S603 -- words of this module's own, never a user's
            [_COMMAND, *words, "--no-notices", "--ci"],
            cwd=self.project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        try:
            printed, _ = process.communicate()
        finally:
            # An interrupt must not leave the command, nor the app it runs, behind.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode:
            raise DeployError(_failure(words[0], process.returncode, printed))

    def _clean(self) -> dict[str, str]:
        """Exactly the environment that the command needs to reach the emulator."""
        return {"PATH": _path(), "HOME": str(self.folder), "LANG": "C.UTF-8"} | self._aws()

    def _machine(self) -> dict[str, str]:
        """The environment without its AWS setup: building the function's package needs its caches and proxies."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
        return kept | {"PATH": _path(), "NO_PROXY": _LOOPBACK, "no_proxy": _LOOPBACK} | self._aws()

    def _aws(self) -> dict[str, str]:
        nothing = str(self.folder / "no-such-file")
        return CREDENTIALS | {
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CONFIG_FILE": nothing,
            "AWS_SHARED_CREDENTIALS_FILE": nothing,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            # Its check of the template takes some ten seconds of CPU, and its findings stop nothing.
            "CDK_VALIDATION": "false",
            "NO_COLOR": "1",
        }


def _path() -> str:
    """The running interpreter first: `cdk.json` starts the app by the bare word `python`."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _failure(word: str, status: int, printed: str) -> str:
    last = "\n".join(printed.splitlines()[-_LINES_SHOWN:])
    return f"`cdk {word}` ended with status {status}; fix what its last lines name, and run it again:\n{last}"
