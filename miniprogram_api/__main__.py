"""Writes the OpenAPI documents into `docs/`: `python -m miniprogram_api`."""

import json
from pathlib import Path
from typing import Any

from miniprogram_api.application import described_api
from miniprogram_api.console.application import described_console

DOCS = Path(__file__).parent.parent / "docs"
DOCUMENT = DOCS / "openapi.json"
CONSOLE_DOCUMENT = DOCS / "console-openapi.json"


def written(document: dict[str, Any]) -> str:
    """Give the text of the file as it has to be now."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(written(described_api()), "utf-8")
    CONSOLE_DOCUMENT.write_text(written(described_console()), "utf-8")
