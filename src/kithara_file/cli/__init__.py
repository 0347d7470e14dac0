"""The command `kithara`, for people and scripts.

The only room that imports click and rich, which come with the extra ``cli``. Must not know: requests, plans, how
anything is stored; it uses what a user of the library can use.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

HOW_TO_INSTALL = "The command kithara needs click and rich: pip install 'kithara-file[cli]'\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command with `arguments` (those of the process unless given) and exit.

    Exit codes: 0 done, 1 an error told in one sentence on stderr, 2 wrong usage or the extra is missing,
    130 interrupted, 141 nobody reads the output any more.
    """
    try:
        from kithara_file.cli import standard  # noqa: PLC0415 - only here is it known whether the extra is installed
        from kithara_file.cli.app import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("click", "rich"):
            raise
        sys.stderr.write(HOW_TO_INSTALL)
        sys.exit(2)
    standard.settle()
    sys.exit(run(arguments))
