"""Makes pictures smaller. It keeps a processor busy and reads what strangers sent: it runs in a process of its own
(`InProcess`), which is killed when it takes too long and costs nobody else a job when it crashes."""

from __future__ import annotations

import os

from PIL import Image

from corral.demo.contract import Resize, Thumbnail

__all__ = ["resize_photo"]


def resize_photo(order: Resize) -> Thumbnail:
    """Write a JPEG of the wanted width beside the picture."""
    path = order.photo.with_name(f"{order.photo.stem}-{order.width}.jpg")
    with Image.open(order.photo) as picture:
        height = round(picture.height * order.width / picture.width)
        small = picture.convert("RGB").resize((order.width, height))
    unfinished = path.with_suffix(".part")
    small.save(unfinished, "JPEG")
    unfinished.replace(path)  # a killed run leaves no half of a picture under its name
    return Thumbnail(path=path, width=small.width, height=small.height, process=os.getpid())
