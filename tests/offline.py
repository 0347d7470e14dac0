"""Proves that something opens no socket: the kernel kills the process that tries.

A patched `socket` module proves nothing here, since libcurl makes its sockets in C. A seccomp filter sees every one. It
cannot be taken off again, so that what is to be proved runs in a process of its own:

    result = run_without_sockets("-c", "from kithara_file import ...")
    result = run_without_sockets("-m", "kithara_file.cli", "cat", "--offline", url)

Must not know: what is being proved.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

# linux/filter.h, linux/seccomp.h: a program is rows of (code, jump if true, jump if false, operand).
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_CALL_NUMBER, _FIRST_ARGUMENT = 0, 16
_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_SOCKET_CALL = {"x86_64": 41, "aarch64": 198}


class _Row(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("yes", ctypes.c_ubyte),
        ("no", ctypes.c_ubyte),
        ("operand", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("rows", ctypes.POINTER(_Row)))


def run_without_sockets(*arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Run Python with `arguments` where opening any socket but a local (AF_UNIX) one kills.

    Raises AssertionError if that happened; every other end, exit code and output, is the caller's to judge.
    A socket *pair*, by which an asyncio loop wakes itself, is another system call and leads nowhere: allowed.
    """
    command = [sys.executable, "-m", "tests.offline", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    assert result.returncode != -signal.SIGSYS, f"a socket was opened by {arguments}\n{result.stdout}{result.stderr}"
    return result


def forbid_sockets() -> None:
    """Have the kernel kill this process, and all that it becomes by exec, when it opens a socket.

    Raises OSError where the kernel knows no filters, KeyError on a machine whose call numbers are not in the table.
    """
    rows = (
        (_LOAD, 0, 0, _CALL_NUMBER),
        (_EQUAL, 0, 3, _SOCKET_CALL[platform.machine()]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUAL, 1, 0, int(socket.AF_UNIX)),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_RETURN, 0, 0, _ALLOW),
    )
    program = _Program(len(rows), (_Row * len(rows))(*(_Row(*row) for row in rows)))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, None)
    _prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))


def _prctl(option: int, value: int, pointer: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, pointer, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")


if __name__ == "__main__":
    forbid_sockets()
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
