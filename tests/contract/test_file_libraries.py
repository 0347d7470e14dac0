"""The libraries that take files: what each does with one must just work."""

from __future__ import annotations

import gzip
import io
import tarfile
import wave
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.contract.files import BODY, Opening
from tests.world.sound import write_wav


def test_wave_reads_frames(opening: Opening, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", seconds=2)
    data = (tmp_path / "a.wav").read_bytes()
    with wave.open(io.BytesIO(data)) as expected, wave.open(opening(data)) as sound:
        assert sound.getparams() == expected.getparams()
        sound.setpos(1000)
        expected.setpos(1000)
        assert sound.readframes(5000) == expected.readframes(5000)
        assert sound.readframes(10**9) == expected.readframes(10**9)


def test_zipfile_reads_members(opening: Opening) -> None:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.txt", BODY[number * 1000 : number * 2000])
    with zipfile.ZipFile(opening(raw.getvalue())) as archive:
        assert archive.testzip() is None
        assert archive.read("7.txt") == BODY[7000:14_000]
        with archive.open("19.txt") as member:
            member.seek(100)
            assert member.read() == BODY[19_100:38_000]


@pytest.mark.parametrize("mode", ["r:", "r:gz", "r:*", "r|gz"])
def test_tarfile_reads_members(opening: Opening, mode: str) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:" if mode == "r:" else "w:gz") as archive:
        for number in range(5):
            info = tarfile.TarInfo(f"{number}.bin")
            info.size = 50_000
            archive.addfile(info, io.BytesIO(BODY[number : number + 50_000]))
    with tarfile.open(fileobj=opening(raw.getvalue()), mode=mode) as archive:  # type: ignore[call-overload]
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            assert file.read() == BODY[int(member.name[0]) : int(member.name[0]) + 50_000]


def test_text_is_read_line_by_line(opening: Opening) -> None:
    text = "".join(f"строка {number} été\n" for number in range(5000))
    with io.TextIOWrapper(opening(text.encode()), encoding="utf-8") as lines:
        assert lines.readline() == "строка 0 été\n"
        cookie = lines.tell()
        rest = lines.read()
        lines.seek(cookie)
        assert lines.read() == rest
        lines.seek(0)
        assert lines.read() == text


def test_gzip_reads_and_seeks(opening: Opening) -> None:
    with gzip.open(opening(gzip.compress(BODY, 1))) as unpacked:
        assert unpacked.read(100) == BODY[:100]
        unpacked.seek(500_000)
        assert unpacked.read(1000) == BODY[500_000:501_000]
        unpacked.seek(0)
        assert unpacked.read() == BODY


def library(name: str) -> ModuleType:
    module: ModuleType = pytest.importorskip(name, reason=f"{name} is not installed here")
    return module


def test_h5py_reads_datasets(opening: Opening) -> None:
    h5py, numpy = library("h5py"), library("numpy")
    raw = io.BytesIO()
    with h5py.File(raw, "w") as out:
        out.create_dataset("x", data=numpy.arange(100_000), chunks=(1000,), compression="gzip")
    with h5py.File(opening(raw.getvalue()), "r") as found:
        assert (found["x"][5000:6000] == numpy.arange(5000, 6000)).all()


def test_soundfile_reads_frames(opening: Opening, tmp_path: Path) -> None:
    soundfile = library("soundfile")
    write_wav(tmp_path / "a.wav", seconds=2)
    data = (tmp_path / "a.wav").read_bytes()
    expected, rate = soundfile.read(io.BytesIO(data))
    found, found_rate = soundfile.read(opening(data))
    assert rate == found_rate
    assert (expected == found).all()


def test_mutagen_reads_tags(opening: Opening, tmp_path: Path) -> None:
    mutagen = library("mutagen.wave")
    write_wav(tmp_path / "a.wav", seconds=1)
    assert mutagen.WAVE(opening((tmp_path / "a.wav").read_bytes())).info.length == pytest.approx(1, abs=0.1)


def test_pillow_reads_pictures(opening: Opening) -> None:
    image = library("PIL.Image")
    raw = io.BytesIO()
    image.frombytes("RGB", (200, 150), BODY[:90_000]).save(raw, "PNG")
    with image.open(opening(raw.getvalue())) as found:
        assert found.tobytes() == BODY[:90_000]
