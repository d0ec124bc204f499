"""What git says of the working directory, for a bundle."""

from __future__ import annotations

import os
import subprocess


def state_of_working_directory() -> tuple[str | None, bool | None]:
    """The commit, and whether anything is changed since; None where there is no git, or no repository."""
    sha = _output_of("rev-parse", "HEAD")
    changes = None if sha is None else _output_of("status", "--porcelain")
    return (None, None) if sha is None or changes is None else (os.fsdecode(sha), changes != b"")


def _output_of(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(("git", *arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return None
    return done.stdout.rstrip(b"\n") if done.returncode == 0 else None
