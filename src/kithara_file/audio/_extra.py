"""Are the packages for sound there, and if not, how does one get them?

The first thing that this room imports. Must not know: what they are for.
"""

from __future__ import annotations

from importlib import import_module

PACKAGES = ("av", "miniaudio", "numpy", "soxr")
"""What the extra `audio` consists of."""
HOW_TO_INSTALL = 'Sound needs packages that are not here: pip install "kithara-file[audio]"'


def require(*names: str) -> None:
    """Import packages. Raises `ModuleNotFoundError`, which says how to install them; their own faults as they are."""
    for name in names:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise ModuleNotFoundError(HOW_TO_INSTALL, name=name) from error


require(*PACKAGES)
