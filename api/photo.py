"""Reads the QR in a photo of a member's card page, for phones whose browser opens no camera."""

import threading
from typing import BinaryIO

import zxingcpp
from PIL import Image, UnidentifiedImageError

from market.kit.errors import InvalidError

MOST_PIXELS = 60_000_000  # phones of today take up to 50 million
ENOUGH_PIXELS = 1_600  # a side; a QR that fills a tenth of it can be read
FORMATS = ("JPEG", "PNG", "WEBP")
_OURS = "HG1."
_AT_ONCE = threading.BoundedSemaphore(2)  # a large photo takes 100 MB while it is looked at


class PhotoUnreadableError(InvalidError):
    """No picture, a damaged one, or one too large."""

    code = "PHOTO_UNREADABLE"
    zh = "这个文件打不开，或者太大。请用手机相机重新拍一张，或者输 8 个数字。"
    en = "This file cannot be opened or is too large. Take a new photo with the phone's camera, or type the 8 digits."


class PhotoWithoutCodeError(InvalidError):
    """A picture, but no QR in it that can be read."""

    code = "PHOTO_WITHOUT_CODE"
    zh = "照片里没有找到二维码。请靠近一点、对准再拍一张，或者输 8 个数字。"
    en = "There is no QR in this photo. Go closer, hold still and take another, or type the 8 digits."


def read_code(photo: BinaryIO) -> str:
    """The text of the QR in a photo, a card's before any other. Raises PhotoUnreadableError, PhotoWithoutCodeError."""
    with _AT_ONCE:
        found = zxingcpp.read_barcodes(_open(photo), formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode]))
    texts = sorted((code.text for code in found), key=lambda text: not text.startswith(_OURS))
    if not texts:
        raise PhotoWithoutCodeError
    return str(texts[0])


def _open(photo: BinaryIO) -> Image.Image:
    """The picture in grey, no larger than is needed. Its size is looked at before its pixels are."""
    try:
        with Image.open(photo, formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise PhotoUnreadableError
            picture.draft("L", (ENOUGH_PIXELS, ENOUGH_PIXELS))  # a JPEG need not even be decoded in full
            grey = picture.convert("L")
    except (UnidentifiedImageError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoUnreadableError from error
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for damaged files
        raise PhotoUnreadableError from error
    grey.thumbnail((ENOUGH_PIXELS, ENOUGH_PIXELS))
    return grey
