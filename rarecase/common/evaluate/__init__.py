"""Evaluation of what was written: figures beside published ones, leaks, and likeness to real data."""

from __future__ import annotations
