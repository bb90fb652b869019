"""Pictures of products: an upload is looked at, decoded and drawn anew. Nothing of the file itself is kept or ever served.

Its kind is told by its bytes, never by its name; its size in pixels is known before its pixels are decoded; what comes out is our own
WebP in two sizes without anything a camera, an editor or an attacker wrote beside the pixels. Pure.
"""

import hashlib
import io
import threading
import warnings
from dataclasses import dataclass
from typing import Final

import puremagic
from PIL import Image, ImageOps, UnidentifiedImageError

from market.kit.errors import InvalidError

MOST_BYTES: Final = 8_000_000
MOST_PIXELS: Final = (
    40_000_000  # a phone of today takes up to 50 million; it sends fewer when it is asked for a picture
)
LEAST_SIDE: Final = 200
MOST_RATIO: Final = 4
LARGE: Final = (800, 600)
SMALL: Final = (320, 240)
FORMATS: Final = ("JPEG", "PNG", "WEBP")
KINDS: Final = {".jpg": "JPEG", ".jpeg": "JPEG", ".jfif": "JPEG", ".jpe": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_AT_ONCE = threading.BoundedSemaphore(2)  # a large one takes 200 MB while it is drawn


class PictureTooLargeError(InvalidError):
    """More bytes or pixels than we look at."""

    code = "PICTURE_TOO_LARGE"
    zh = "图片太大：最多 {megabytes} MB、{megapixels} 百万像素。请缩小后再传。"
    en = "The picture is too large: {megabytes} MB and {megapixels} megapixels at most. Make it smaller and try again."


class PictureTooSmallError(InvalidError):
    """Too few pixels to look good, or a strip."""

    code = "PICTURE_TOO_SMALL"
    zh = "图片太小或太扁：每边至少 {side} 像素，长边不超过短边的 {ratio} 倍。请换一张。"
    en = "The picture is too small or too narrow: {side} pixels a side at least, at most {ratio} times as long as wide. Take another."


class PictureKindError(InvalidError):
    """Not a JPEG, PNG or WebP: something else, whatever it is called."""

    code = "PICTURE_KIND"
    zh = "只收 JPEG、PNG、WebP 图片，这个文件不是。请用相机或截图的图片。"
    en = "Only JPEG, PNG and WebP pictures are taken, and this file is none. Use a photo or a screenshot."


class PictureBrokenError(InvalidError):
    """A picture that cannot be decoded in full, or that carries something else behind it."""

    code = "PICTURE_BROKEN"
    zh = "图片打不开：文件不完整，或夹带了别的内容。请重新导出一张再传。"
    en = "The picture cannot be opened: it is incomplete, or carries something else. Save it anew and try again."


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture as we keep it: the digest of what was sent, the size of `large` in pixels, WebP in two sizes."""

    sha256: bytes
    width: int
    height: int
    large: bytes
    small: bytes


def draw_picture(sent: bytes) -> DrawnPicture:
    """Look at an upload and draw it anew, upright, cut to 4:3 from its middle.

    Raises PictureTooLargeError, PictureTooSmallError, PictureKindError, PictureBrokenError.
    """
    if len(sent) > MOST_BYTES:
        raise _too_large()
    kind = _find_kind(sent)
    with _AT_ONCE:
        picture = _decode(sent, kind)
        large = ImageOps.fit(picture, LARGE, Image.Resampling.LANCZOS)
        small = ImageOps.fit(large, SMALL, Image.Resampling.LANCZOS)
        return DrawnPicture(hashlib.sha256(sent).digest(), *large.size, _encode(large, 82), _encode(small, 80))


def _find_kind(sent: bytes) -> str:
    """The format by the bytes, on which magic numbers and the end of the file must agree. Raises PictureKindError, PictureBrokenError."""
    try:
        found = KINDS.get(puremagic.from_string(sent[:4096]))
    except (puremagic.PureError, ValueError):
        found = None
    starts = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF"}
    if found is None or not sent.startswith(starts[found]) or (found == "WEBP" and sent[8:12] != b"WEBP"):
        raise PictureKindError
    if not _ends_where_it_should(sent, found):
        raise PictureBrokenError
    return found


def _ends_where_it_should(sent: bytes, kind: str) -> bool:
    """Whether the file ends with its picture: what is appended (a ZIP, a script, a film) is for somebody else than us.

    A JPEG may be followed by zeros, or by another JPEG (the depth or brightness of a phone's photo), which ends as it does.
    """
    match kind:
        case "PNG":
            return sent[-12:] == b"\x00\x00\x00\x00IEND\xaeB`\x82"
        case "WEBP":
            return len(sent) - 8 - int.from_bytes(sent[4:8], "little") in {0, 1}
    tail = sent[sent.rfind(b"\xff\xd9") + 2 :] if b"\xff\xd9" in sent else None
    return tail is not None and not tail.strip(b"\x00") and b"PK\x05\x06" not in sent[-65_557:]


def _decode(sent: bytes, kind: str) -> Image.Image:
    """The pixels, upright, on white where they were transparent; the size is looked at first."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(sent), formats=[kind]) as picture:
                _check_size(picture.width, picture.height)
                if kind == "JPEG":
                    picture.draft("RGB", (LARGE[0] * 2, LARGE[1] * 2))
                picture.load()
                upright = ImageOps.exif_transpose(picture)
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureBrokenError from error
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise PictureBrokenError from error  # what Pillow raises for damaged files
    if upright.mode == "RGB":
        return upright
    rgba = upright.convert("RGBA")
    ground = Image.new("RGB", rgba.size, "white")
    ground.paste(rgba, mask=rgba.getchannel("A"))
    return ground


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise _too_large()
    if min(width, height) < LEAST_SIDE or max(width, height) > MOST_RATIO * min(width, height):
        raise PictureTooSmallError(side=LEAST_SIDE, ratio=MOST_RATIO)


def _encode(picture: Image.Image, quality: int) -> bytes:
    body = io.BytesIO()
    picture.save(body, "WEBP", quality=quality, method=4)
    return body.getvalue()


def _too_large() -> PictureTooLargeError:
    return PictureTooLargeError(megabytes=MOST_BYTES // 1_000_000, megapixels=MOST_PIXELS // 1_000_000)
