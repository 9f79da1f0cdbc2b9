"""Write the table of docs/studies/berka.md: the example berka1993 beside both halves of the Berka data.

python tools/berka.py ../shared/data/finance/berka
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rarecase.common.run import generate  # noqa: E402
from rarecase.common.spec import parse_yaml  # noqa: E402
from rarecase.finance import DOMAIN  # noqa: E402
from tests.finance.berka import figures, made, real  # noqa: E402

PAGE = ROOT / "docs" / "studies" / "berka.md"
HEAD = "| figure | ours | fitting half | judging half |\n| --- | --- | --- | --- |\n"


def shown(value: float) -> str:
    """A figure as the page prints it."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def main(folder: Path) -> None:
    """Put the rows of the table in place of those of the page."""
    world = generate(parse_yaml(DOMAIN.examples["berka1993"], "berka1993"))
    columns = [figures(rows) for rows in (made(world), real(folder, odd=False), real(folder, odd=True))]
    rows = [f"| {name} | {' | '.join(shown(column[name]) for column in columns)} |\n" for name in columns[0]]
    page = PAGE.read_text("utf-8")
    table = re.compile(re.escape(HEAD) + r"(\|.*\n)*")
    PAGE.write_text(table.sub(lambda _: HEAD + "".join(rows), page), "utf-8")
    print("".join(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
