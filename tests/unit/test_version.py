"""The release is told in one place."""

from __future__ import annotations

from importlib.metadata import version

from kithara_file import __version__


def test_the_installed_distribution_says_the_same() -> None:
    assert version("kithara-file") == __version__
