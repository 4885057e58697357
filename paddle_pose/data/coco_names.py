"""File names of COCO's photos, which are their ids."""

import re
from pathlib import Path
from typing import Optional


def coco_number(source: str) -> Optional[int]:
    """139 of `000000000139.jpg` and of `COCO_val2014_000000000139.jpg`: twelve digits; None of any other name."""
    match = re.fullmatch(r"(?:COCO_\w+_)?([0-9]{12})", Path(source).stem)
    return int(match.group(1)) if match else None
