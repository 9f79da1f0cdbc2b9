"""Marks that say "synthetic": how one is embedded, and how all of them are found again in any fragment."""

from __future__ import annotations

from rarecase.common.mark.detect import Detection, Lock, Verdict, detect, detect_file, detect_frame
from rarecase.common.mark.digits import PUBLISHED_KEY, digits_of, embed, green

__all__ = [
    "PUBLISHED_KEY",
    "Detection",
    "Lock",
    "Verdict",
    "detect",
    "detect_file",
    "detect_frame",
    "digits_of",
    "embed",
    "green",
]
