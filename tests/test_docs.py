"""Pages that are written from the code say what the code says."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_measures_page_is_up_to_date():
    page = runpy.run_path(str(DOCS / "measures.py"))["page"]
    assert (DOCS / "measures.md").read_text(encoding="utf-8") == page(), "run `make docs`"
