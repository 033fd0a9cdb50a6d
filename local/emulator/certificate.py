"""A throwaway TLS certificate for servers on loopback."""

import subprocess
from pathlib import Path


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that signs itself, and its key, into the folder; returns both paths."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    about = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    made = ["-newkey", "rsa:2048", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(["openssl", "req", "-x509", *about, *made], check=True, capture_output=True)  # noqa: S603, S607 - ours
    return certificate, key
