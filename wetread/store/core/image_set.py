"""A set of image ids that takes one bit each."""

from __future__ import annotations

from collections.abc import Iterable

PAGE_BITS = 1 << 16
"""Ids on one page of 8 KiB; the ids of one archive lie close together, so that pages are full."""


class ImageSet:
    """Ids of images, of which a million take 125 kB where they follow each other."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def among(self, image_ids: Iterable[int]) -> set[int]:
        """Return those of `image_ids` that are in it."""
        pages = self._pages
        return {
            image_id
            for image_id in image_ids
            if (page := pages.get(image_id // PAGE_BITS)) and page[image_id % PAGE_BITS >> 3] >> (image_id & 7) & 1
        }

    def update(self, image_ids: Iterable[int]) -> None:
        """Add `image_ids`."""
        for image_id in image_ids:
            page, bit = divmod(image_id, PAGE_BITS)
            self._pages.setdefault(page, bytearray(PAGE_BITS >> 3))[bit >> 3] |= 1 << (bit & 7)
