"""What is in the cache, as `kithara cache` shows it: one row for an asset, or everything about one.

Must not know: how anything is stored or removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from kithara_file.assets.catalogue import StoredAsset, StoredResource
from kithara_file.cli import words
from kithara_file.cli.bar import CoverageBar

ID_DIGITS = 8
_BAR_WIDTH = 20
_WIDE_BAR = 72


def to_json(asset: StoredAsset) -> dict[str, Any]:
    """Return an asset as plain values; ranges are pairs of first byte and end, exclusive."""
    return {
        "asset_id": asset.asset_id,
        "url": asset.url,
        "name": asset.name,
        "bytes": asset.bytes,
        "last_used": round(asset.last_used, 3),
        "pins": sorted(asset.pins),
        "in_use": asset.in_use,
        "users": [{"pid": pid, "command": command(pid)} for pid in asset.users],
        "resources": [_resource_json(each) for each in asset.resources],
    }


def _resource_json(resource: StoredResource) -> dict[str, Any]:
    return {
        "resource_hash": resource.key.resource_hash,
        "length": resource.length,
        "bytes": resource.coverage.total,
        "complete": resource.complete,
        "committed": resource.committed,
        "media_type": resource.media_type,
        "ranges": [[each.start, each.end] for each in resource.coverage],
        "path": str(resource.path),
    }


def table(assets: Sequence[StoredAsset], now: float) -> RenderableType:
    """Return the table of `assets`."""
    found = Table(
        Column("id", no_wrap=True),
        Column("asset", overflow="fold", ratio=1),
        Column("size", justify="right", no_wrap=True),
        Column("here", min_width=_BAR_WIDTH, no_wrap=True),
        Column("last used", justify="right", no_wrap=True),
        Column("pinned", overflow="fold"),
        Column("in use by", overflow="fold"),
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for each in assets:
        found.add_row(
            each.asset_id[:ID_DIGITS],
            Text(label(each)),
            words.size(each.bytes),
            _bar(each),
            f"{words.seconds(max(0.0, now - each.last_used))} ago",
            Text(words.plain(", ".join(sorted(each.pins)))),
            Text(users(each)),
        )
    return found


def total(assets: Iterable[StoredAsset]) -> str:
    """Return how many and how large they are: ``3 assets, 26.5 MB``."""
    sizes = [each.bytes for each in assets]
    return f"{len(sizes)} asset{'' if len(sizes) == 1 else 's'}, {words.size(sum(sizes))}"


def label(asset: StoredAsset) -> str:
    """Return what an asset is called."""
    name = f" ({asset.name})" if asset.name else ""
    more = f" + {len(asset.resources) - 1} more" if len(asset.resources) > 1 else ""
    return words.plain((asset.url or "unknown") + name + more)


def users(asset: StoredAsset) -> str:
    """Return who uses an asset: ``mpv (4711)``; empty when nobody does."""
    if asset.in_use and not asset.users:
        return "another process"
    return ", ".join(f"{command(each)} ({each})" for each in asset.users)


def command(pid: int) -> str:
    """Return the name of a process, ``process`` when the system does not tell."""
    try:
        told = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        told = ""
    return words.plain(told) or "process"


def _bar(asset: StoredAsset) -> RenderableType:
    if not asset.resources:
        return Text("nothing")
    largest = max(asset.resources, key=lambda each: (each.length or 0, each.coverage.total))
    return bar(largest, _BAR_WIDTH)


def bar(resource: StoredResource, width: int) -> RenderableType:
    """Return which bytes of a resource are here, drawn."""
    drawn = CoverageBar(width)
    drawn.update(resource.coverage, resource.length)
    return drawn


def details(asset: StoredAsset, now: float) -> RenderableType:
    """Return everything about one asset."""
    facts = Table.grid(Column(style="bold", no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    for name, value in _rows(asset, now):
        facts.add_row(name, Text(words.plain(value)))
    parts: list[RenderableType] = [facts]
    for each in asset.resources:
        parts += [Text(""), _resource(each)]
        if each.coverage and not each.complete:
            parts.append(bar(each, _WIDE_BAR))
    return Group(*parts)


def _rows(asset: StoredAsset, now: float) -> Iterator[tuple[str, str]]:
    yield "asset", asset.asset_id
    yield "url", asset.url or "unknown"
    if asset.name:
        yield "name", asset.name
    yield "size", words.size(asset.bytes)
    yield "last used", f"{words.seconds(max(0.0, now - asset.last_used))} ago"
    yield "pinned", ", ".join(sorted(asset.pins)) or "no"
    yield "in use by", users(asset) or "nobody"


def _resource(resource: StoredResource) -> RenderableType:
    facts = Table.grid(Column(style="bold", no_wrap=True), Column(overflow="fold"), padding=(0, 2))
    for name, value in _resource_rows(resource):
        facts.add_row(name, Text(words.plain(value)))
    return facts


def _resource_rows(resource: StoredResource) -> Iterator[tuple[str, str]]:
    yield "resource", resource.key.resource_hash
    if resource.media_type:
        yield "type", resource.media_type
    yield "here", here(resource)
    yield "kept in", str(resource.path)


def here(resource: StoredResource) -> str:
    """Return how much of a resource is here: ``12.3/26.5 MB, 46.4 %``, or ``26.5 MB, complete``."""
    present, length = resource.coverage.total, resource.length
    if resource.complete:
        return f"{words.size(present)}, complete"
    return words.progress(present, length) + (f", {words.percent(present, length)}" if length else "")
