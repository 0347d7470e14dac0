"""Install whom we stand beside: packages into ``.venv-bench``, programs from Debian's.

What cannot be had is said and left out: its rows then tell why. Run by `make bench`; asks nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from bench.rivals import OUTSIDE

PACKAGES = ("aiohttp", "requests", "fsspec", "smart_open", "yt-dlp", "obstore")
PROGRAMS = ("ffmpeg", "mpv", "rclone")


def quietly(*words: str) -> bool:
    """Run a command; tell whether it went well."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    return (
        subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode
        == 0
    )


def packages() -> list[str]:
    """Install each package by itself, so that one which fails spoils no other; return those that failed."""
    if not OUTSIDE.exists() and not quietly(sys.executable, "-m", "venv", str(OUTSIDE.parent.parent)):
        return list(PACKAGES)
    pip = (str(OUTSIDE), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")
    return [each for each in PACKAGES if not quietly(*pip, each)]


def programs() -> list[str]:
    """Install the programs that are missing; return those that still are."""
    missing = [each for each in PROGRAMS if shutil.which(each) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        quietly("apt-get", "update", "-qq")
        for each in missing:
            quietly("apt-get", "install", "-y", "-qq", "--no-install-recommends", each)
    return [each for each in missing if shutil.which(each) is None]


if __name__ == "__main__":
    for absent in (*packages(), *programs()):
        print(f"bench: {absent} cannot be installed here; its measurements are left out", file=sys.stderr)
