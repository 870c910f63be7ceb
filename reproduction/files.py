"""Writing files so that a kill leaves the old one or the new one, never half of one."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a file under another name, then give it its own."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
