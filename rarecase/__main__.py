"""``python -m rarecase`` is ``rarecase``."""

from __future__ import annotations

import sys

from rarecase.cli import main

if __name__ == "__main__":
    sys.exit(main())
