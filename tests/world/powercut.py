"""What a power cut leaves of a disk: everything that was synced, and some of what was not, in no order.

    recorder = Recorder(folder)
    with recorder:                       # everything that is done through `storage.system` and by name is taken down
        ...
    recorder.replay(random, upto, copy)  # the state of `folder` after a cut at operation `upto`, as `random` wills

It wraps the functions of the `os` module by which files are written, made, renamed and synced, in this process and
under one folder, and notes them in order. A cut keeps of each file what its last sync before the cut had on disk, of
what came later any subset of its pages, torn at any of them; of names, those that a sync of their folder has made last,
and of later makings, removals and renamings a prefix for each folder, as journaling file systems have it.

Must not know: what is written, or why.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import ModuleType, TracebackType
from typing import Any, Self

PAGE = 4096


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done: to a file (by its inode) or to a name in a folder."""

    kind: str
    inode: int = 0
    at: int = 0
    data: bytes = b""
    path: str = ""
    other: str = ""


def _path_of(fd: int) -> str:
    return str(Path(f"/proc/self/fd/{fd}").readlink())


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _users(function: object) -> list[ModuleType]:
    """Return `os` and the modules of the library that took `function` from it under some name."""
    ours = [module for name, module in sys.modules.items() if name.startswith("kithara_file.")]
    return [os, *(module for module in ours if any(value is function for value in vars(module).values()))]


@dataclass(slots=True)
class Disk:
    """A state: what is in each inode, and which names there are."""

    files: dict[int, bytearray] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)

    def write(self, act: Act, start: int, end: int) -> None:
        """Put bytes `start` to `end` of what `act` wrote in their place."""
        content = self.files.setdefault(act.inode, bytearray())
        at = act.at + start
        if len(content) < at:
            content.extend(bytes(at - len(content)))
        content[at : at + end - start] = act.data[start:end]


class Recorder:
    """Takes down what this process does to the files under `root`."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.acts: list[Act] = []
        self._undo: list[tuple[ModuleType, str, Callable[..., Any]]] = []

    def __enter__(self) -> Self:
        for name in ("open", "pwritev", "write", "fdatasync", "fsync", "unlink", "replace", "rename", "ftruncate"):
            real = getattr(os, name)
            wrapped = getattr(self, f"_{name}")(real)
            for module in _users(real):
                for alias in [alias for alias, value in vars(module).items() if value is real]:
                    self._undo.append((module, alias, real))
                    setattr(module, alias, wrapped)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for module, alias, real in self._undo:
            setattr(module, alias, real)

    def _inode(self, fd: int) -> int | None:
        """Return the inode of a file under the root, None for anything else."""
        try:
            path = _path_of(fd)
        except OSError:
            return None
        return os.fstat(fd).st_ino if path.startswith(self.root) else None

    def _mine(self, path: object) -> str | None:
        text = os.fsdecode(os.fspath(path)) if isinstance(path, (str, bytes, os.PathLike)) else ""
        return text if text.startswith(self.root) else None

    def _note(self, act: Act) -> None:
        self.acts.append(act)

    def _note_unseen(self, inode: int, path: str) -> None:
        """Take down what was written to a small file by Python's own buffers, which pass by the module `os`."""
        if Path(path).is_file() and not any(each.kind == "write" and each.inode == inode for each in self.acts):
            self._note(Act("write", inode, 0, Path(path).read_bytes()))

    def _open(self, real: Callable[..., int]) -> Callable[..., int]:
        def open_(path: Any, flags: int, *more: Any, **named: Any) -> int:
            mine = self._mine(path)
            fresh = mine is not None and flags & os.O_CREAT and not os.path.lexists(mine)
            fd = real(path, flags, *more, **named)
            if mine is not None and fresh:
                self._note(Act("make", os.fstat(fd).st_ino, path=mine))
            elif mine is not None and flags & os.O_TRUNC:
                self._note(Act("cut", os.fstat(fd).st_ino))
            return fd

        return open_

    def _pwritev(self, real: Callable[..., int]) -> Callable[..., int]:
        def pwritev(fd: int, buffers: Any, offset: int, *more: Any) -> int:
            done = real(fd, buffers, offset, *more)
            if (inode := self._inode(fd)) is not None:
                self._note(Act("write", inode, offset, b"".join(map(bytes, buffers))[:done]))
            return done

        return pwritev

    def _write(self, real: Callable[..., int]) -> Callable[..., int]:
        def write(fd: int, data: Any) -> int:
            done = real(fd, data)
            if (inode := self._inode(fd)) is not None:
                self._note(Act("write", inode, os.lseek(fd, 0, os.SEEK_CUR) - done, bytes(data)[:done]))
            return done

        return write

    def _sync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def sync(fd: int) -> None:
            if (inode := self._inode(fd)) is not None:
                self._note_unseen(inode, f"/proc/self/fd/{fd}")
            real(fd)
            if inode is not None:
                path = _path_of(fd)
                self._note(Act("sync names" if Path(path).is_dir() else "sync", inode, path=path))

        return sync

    _fdatasync = _fsync = _sync

    def _ftruncate(self, real: Callable[[int, int], None]) -> Callable[[int, int], None]:
        def ftruncate(fd: int, size: int) -> None:
            real(fd, size)
            if (inode := self._inode(fd)) is not None:
                self._note(Act("cut", inode, size))

        return ftruncate

    def _unlink(self, real: Callable[..., None]) -> Callable[..., None]:
        def unlink(path: Any, **named: Any) -> None:
            real(path, **named)
            if (mine := self._mine(path)) is not None:
                self._note(Act("unlink", path=mine))

        return unlink

    def _move(self, real: Callable[..., None]) -> Callable[..., None]:
        def move(here: Any, there: Any, **named: Any) -> None:
            if (mine := self._mine(here)) is not None:
                self._note_unseen(Path(here).stat().st_ino, mine)
            real(here, there, **named)
            if mine is not None:
                self._note(Act("move", path=mine, other=os.fsdecode(os.fspath(there))))

        return move

    _replace = _rename = _move

    # -- the cut -----------------------------------------------------------------------------------------------------

    def replay(self, random: Random, upto: int, into: Path) -> None:
        """Make in `into` what a power cut after `upto` acts may leave."""
        acts = self.acts[:upto]
        disk, last_name = Disk(), _last_names(random, acts)
        for place, act in enumerate(acts):
            if act.kind in _RENAMES and place < last_name[_folder(act.path)]:
                _rename(disk, act)
            elif act.kind == "cut":
                disk.files.setdefault(act.inode, bytearray())[act.at :] = b""
            elif act.kind == "write":
                synced = any(each.kind == "sync" and each.inode == act.inode for each in acts[place:])
                _land(random, disk, act, synced=synced)
        for name, inode in disk.names.items():
            place_of = into / os.path.relpath(name, self.root)
            place_of.parent.mkdir(parents=True, exist_ok=True)
            place_of.write_bytes(disk.files.get(inode, b""))


_RENAMES = ("make", "unlink", "move")


def _last_names(random: Random, acts: list[Act]) -> dict[str, int]:
    """Return for each folder before which act its names are those that survive: at the earliest its last sync."""
    folders = {_folder(each.path) for each in acts if each.kind in _RENAMES}
    synced = {each.path: place for place, each in enumerate(acts) if each.kind == "sync names"}
    return {each: random.randint(synced.get(each, 0), len(acts)) for each in sorted(folders)}


def _land(random: Random, disk: Disk, act: Act, *, synced: bool) -> None:
    """Let each page of a write come through, come torn, come as zeros, or not come; all of it when it was synced."""
    for start in range(0, len(act.data), PAGE):
        end = min(start + PAGE, len(act.data))
        fate = 0.0 if synced else random.random()
        if fate < 0.6:
            disk.write(act, start, end)
        elif fate < 0.7:
            disk.write(act, start, random.randint(start, end))
        elif fate < 0.85:
            disk.write(Act("write", act.inode, act.at, bytes(len(act.data))), start, end)


def _rename(disk: Disk, act: Act) -> None:
    if act.kind == "make":
        disk.names[act.path] = act.inode
    elif act.kind == "unlink":
        disk.names.pop(act.path, None)
    elif act.path in disk.names:
        disk.names[act.other] = disk.names.pop(act.path)
