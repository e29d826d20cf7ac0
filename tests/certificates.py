"""A certificate for 127.0.0.1, signed by itself: for tests that serve by TLS."""

import subprocess
from pathlib import Path


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write it and its key; return both files."""
    files = folder / "cert.pem", folder / "key.pem"
    about = ("-subj", "/CN=a test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    argv = ["openssl", "req", "-x509", *about, *kind, "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(argv, check=True, capture_output=True)
    return files
