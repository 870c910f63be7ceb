"""What a caller may put before the comparisons: text, tables and pictures, all of it plain data."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from visavis._core import checks

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Table:
    """A table of plain text.

    Parameters
    ----------
    header : sequence of str
        One per column. The first column names its row; the others are set flush right.
    rows : sequence of sequence of str
        The cells.
    caption : str
        What the table shows.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(
                    checks.message(
                        "Table",
                        "rows",
                        f"have one cell per column ({len(self.header)})",
                        f"{len(row)} in {tuple(row)!r}",
                    )
                )


@dataclass(frozen=True)
class Image:
    """A PNG picture.

    Parameters
    ----------
    png : bytes
        The content of the file.
    alt : str
        What it shows, for those who cannot see it.
    caption : str
        The text below it.
    """

    png: bytes
    alt: str
    caption: str = ""

    def __post_init__(self) -> None:
        if not self.png.startswith(_PNG):
            raise ValueError(
                checks.message(
                    "Image",
                    "png",
                    "be the content of a PNG file",
                    repr(self.png[:8]),
                    "Figure.savefig writes one.",
                )
            )

    @classmethod
    def read(cls, path: str | Path, *, alt: str, caption: str = "") -> "Image":
        """Read the picture from a file."""
        return cls(Path(path).read_bytes(), alt, caption)

    @property
    def uri(self) -> str:
        """The picture as a ``data:`` address, so that the report needs no other file."""
        return "data:image/png;base64," + b64encode(self.png).decode("ascii")


@dataclass(frozen=True)
class Section:
    """A part of the report that stands before the comparisons.

    Parameters
    ----------
    title : str
        Its heading.
    paragraphs : sequence of str
        Plain text; markup is shown, not obeyed.
    table : Table, optional
        Shown after the text.
    image : Image, optional
        Shown last.
    """

    title: str
    paragraphs: Sequence[str] = ()
    table: Table | None = None
    image: Image | None = None
