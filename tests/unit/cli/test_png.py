"""A picture is read by others as it was drawn."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kithara_file.cli.png import png

PALETTE = ((255, 255, 255), (1, 2, 3), (200, 100, 0))


@given(st.data(), st.integers(1, 9), st.integers(1, 9))
def test_every_pixel_is_where_it_was_put(data: st.DataObject, width: int, height: int) -> None:
    rows = [bytes(data.draw(st.lists(st.integers(0, 2), min_size=width, max_size=width))) for _ in range(height)]
    with Image.open(io.BytesIO(png(width, rows, PALETTE))) as image:
        image.load()
        assert image.size == (width, height)
        drawn = image.convert("RGB")
    assert [drawn.getpixel((x, y)) for y in range(height) for x in range(width)] == [
        PALETTE[pixel] for row in rows for pixel in row
    ]
