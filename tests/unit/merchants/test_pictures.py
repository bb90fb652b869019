"""Uploads of pictures: what is drawn anew, and what is refused with its reason."""

import contextlib
import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from market.kit.errors import DomainError
from merchants import pictures
from merchants.pictures import (
    LARGE,
    SMALL,
    PictureBrokenError,
    PictureKindError,
    PictureTooLargeError,
    PictureTooSmallError,
    draw_picture,
)


def make(kind="JPEG", size=(640, 480), mode="RGB", colour=(200, 30, 40), **options):
    picture = Image.new(mode, size, colour)
    ImageDraw.Draw(picture).ellipse(
        (10, 10, size[0] // 2, size[1] // 2), fill=(20, 120, 60)[: len(mode)] if mode != "L" else 9
    )
    body = io.BytesIO()
    picture.save(body, kind, **options)
    return body.getvalue()


def refused(sent):
    with pytest.raises(DomainError) as refusal:
        draw_picture(sent)
    assert refusal.value.sentence("zh")
    return refusal.value.code


def opened(webp):
    picture = Image.open(io.BytesIO(webp))
    assert picture.format == "WEBP"
    return picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_webp_in_two_sizes(kind):
    drawn = draw_picture(make(kind))
    assert (opened(drawn.large).size, opened(drawn.small).size) == (LARGE, SMALL)
    assert (drawn.width, drawn.height, len(drawn.sha256)) == (*LARGE, 32)
    assert draw_picture(make(kind)) == drawn


@pytest.mark.parametrize(
    ("mode", "colour"), [("L", 7), ("P", 3), ("RGBA", (9, 9, 9, 0)), ("LA", (9, 0)), ("1", 1), ("I;16", 9)]
)
def test_every_kind_of_pixels_becomes_colour(mode, colour):
    body = io.BytesIO()
    Image.new(mode, (400, 300), colour).save(body, "PNG")
    assert opened(draw_picture(body.getvalue()).large).mode == "RGB"


def test_what_is_transparent_becomes_white():
    body = io.BytesIO()
    Image.new("RGBA", (400, 300), (0, 0, 0, 0)).save(body, "PNG")
    assert min(opened(draw_picture(body.getvalue()).small).getpixel((5, 5))) > 250


def test_nothing_but_pixels_is_kept():
    exif = Image.Exif()
    exif[0x010E] = "KEEP-OUT-DESCRIPTION"
    exif.get_ifd(0x8825)[2] = (31.0, 14.0, 0.0)  # where it was taken
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "KEEP-OUT-COMMENT")
    jpeg = make(exif=exif, icc_profile=b"KEEP-OUT-PROFILE" * 9, comment=b"KEEP-OUT")
    for sent in (jpeg, make("PNG", pnginfo=text)):
        assert b"KEEP-OUT" in sent
        drawn = draw_picture(sent)
        for kept in (drawn.large, drawn.small):
            assert b"KEEP-OUT" not in kept
            assert not opened(kept).getexif()
            assert {"exif", "icc_profile", "xmp"}.isdisjoint(opened(kept).info)


def test_a_picture_lies_as_it_was_held():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    picture = Image.new("RGB", (300, 400), "blue")
    picture.paste("red", (0, 0, 150, 400))
    body = io.BytesIO()
    picture.save(body, "JPEG", exif=exif, quality=95)
    drawn = opened(draw_picture(body.getvalue()).large)
    top, bottom = drawn.getpixel((400, 50)), drawn.getpixel((400, 550))
    assert (top[0] > 200, top[2] < 60) == (True, True)
    assert (bottom[2] > 200, bottom[0] < 60) == (True, True)


def test_a_moving_picture_stands_still():
    frames = [Image.new("RGB", (400, 300), colour) for colour in ("red", "blue")]
    body = io.BytesIO()
    frames[0].save(body, "WEBP", save_all=True, append_images=frames[1:])
    assert getattr(opened(draw_picture(body.getvalue()).large), "n_frames", 1) == 1


# --- hostile ----------------------------------------------------------------------------------------------------------

REFUSALS = (PictureBrokenError, PictureKindError, PictureTooLargeError, PictureTooSmallError)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\xff",
        SVG,
        b"<?xml version='1.0'?>" + SVG,
        b"<html>",
        b"%PDF-1.7",
        b"PK\x03\x04" + bytes(99),
        b"MZ" + bytes(99),
        b"RIFF\x10\x00\x00\x00WAVEfmt " + bytes(99),
        bytes(4096),
        make("GIF"),
        make("BMP"),
        make("TIFF"),
        make("ICO", size=(256, 256)),
    ],
)
def test_what_is_no_photo_is_refused_whatever_it_is_called(sent):
    assert refused(sent) == "PICTURE_KIND"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_breaks_off_is_refused(kind):
    sent = make(kind)
    for length in (len(sent) // 4, len(sent) // 2, len(sent) - 1, len(sent) - 20):
        assert refused(sent[:length]) in {"PICTURE_BROKEN", "PICTURE_KIND"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("tail", ["zip", "script"])
def test_a_picture_that_is_something_else_as_well_is_refused(kind, tail):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("run.js", "alert(1)")
    assert (
        refused(make(kind) + (body.getvalue() if tail == "zip" else b"<script>alert(1)</script>")) == "PICTURE_BROKEN"
    )


def test_something_else_that_begins_like_a_picture_is_refused():
    assert refused(b"\xff\xd8\xff\xe0" + SVG + b"\xff\xd9") == "PICTURE_KIND"
    assert refused(make()[:200] + SVG + b"\xff\xd9") in {"PICTURE_BROKEN", "PICTURE_KIND"}
    assert refused(b"GIF89a/*" + make()[8:]) == "PICTURE_KIND"


def png_of(width, height):
    """A PNG that says it is so large and holds next to nothing."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(50_000, 50_000), (7_000, 6_000), (2**31 - 1, 2), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_before_it_is_decoded(size):
    assert refused(png_of(*size)) in {"PICTURE_TOO_LARGE", "PICTURE_BROKEN"}


def test_a_small_lie_about_the_size_is_a_broken_picture():
    assert refused(png_of(800, 600)) == "PICTURE_BROKEN"


def test_a_bomb_beside_the_pixels_is_refused():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "0" * 90_000_000, zip=True)
    assert refused(make("PNG", pnginfo=text)) == "PICTURE_BROKEN"


def test_bytes_and_pixels_have_their_bounds(monkeypatch):
    assert refused(make() + bytes(pictures.MOST_BYTES)) == "PICTURE_TOO_LARGE"
    assert refused(make(size=(199, 400))) == "PICTURE_TOO_SMALL"
    assert refused(make(size=(200, 801))) == "PICTURE_TOO_SMALL"
    assert draw_picture(make(size=(200, 800)))


@settings(max_examples=60)
@given(st.data())
def test_a_spoiled_picture_is_drawn_or_refused_and_nothing_else(data):
    sent = bytearray(data.draw(st.sampled_from([make(k, size=(240, 220)) for k in ("JPEG", "PNG", "WEBP")])))
    for _ in range(data.draw(st.integers(1, 20))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(*REFUSALS):
        draw_picture(bytes(sent))
