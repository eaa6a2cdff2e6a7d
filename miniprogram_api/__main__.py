"""Writes the OpenAPI document into `docs/`: `python -m miniprogram_api`."""

import json
from pathlib import Path

from miniprogram_api.application import described_api

DOCUMENT = Path(__file__).parent.parent / "docs" / "openapi.json"


def written() -> str:
    """Give the text of the file as it has to be now."""
    return json.dumps(described_api(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(written(), "utf-8")
