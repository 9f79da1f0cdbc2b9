from __future__ import annotations
FORMATS = {}
