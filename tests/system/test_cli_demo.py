"""The demonstration tells the truth: right bytes, little more than the file fetched, and nothing the second time."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.world.crash import ROOT

pytestmark = pytest.mark.system


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the demonstration, with a minute of sound instead of ten, the tune once, and a cache of its own."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    spec = importlib.util.spec_from_file_location("kithara_demo", ROOT / "examples" / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # its dataclasses look for it there
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "MINUTES", 1)
    monkeypatch.setattr(module.melody, "TIMES", 1)
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    return module


def test_the_demonstration_fetches_once_and_then_nothing(demo: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main() == 0
    first = capsys.readouterr().out
    assert "SHA-256 of what was read: the same as the original." in first
    assert "0 bytes fetched: " not in first
    assert "heard    peak 0.49, 32 notes: E4 E4 F4 G4" in first
    assert "It is the melody, note for note." in first
    assert demo.main() == 0
    assert "0 bytes fetched: " in capsys.readouterr().out


def test_the_demonstration_fails_when_bytes_differ(
    demo: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "play", lambda *_: "another digest")
    assert demo.main() == 1
    assert "NOT that of the original" in capsys.readouterr().out


def test_the_demonstration_fails_when_another_melody_is_heard(
    demo: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = demo.melody.encoded()
    monkeypatch.setattr(demo.melody, "encoded", lambda: encoded)
    monkeypatch.setattr(demo.melody, "TUNE", demo.melody.TUNE[::-1])
    assert demo.main() == 1
    assert "That is NOT the melody." in capsys.readouterr().out
