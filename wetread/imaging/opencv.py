"""The only module that imports cv2; everything else takes it from here.

OpenCV reads its pixel cap from the environment once, as it is imported, so the cap must be set before.
The others below are set here for the same reason: whoever uses cv2 gets them.
"""

from __future__ import annotations

import os

PIXELS_LIMIT = 2**26
"""Pixels (height x width) of the largest picture that is decoded: 67 million, twice the largest film scanner's."""

os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(PIXELS_LIMIT)

import cv2 as cv2  # noqa: E402 - the cap above must be set first; the alias marks a re-export

# What is wrong with a file is said once, by `Rejected`, not also by OpenCV on stderr.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
# One core a process: screening and training use the others by running more processes.
cv2.setNumThreads(1)
