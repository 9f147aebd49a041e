"""What the package says of itself on its page: README's links lead into the repository, wherever that is.

HELDOUT_REPOSITORY names it when a release is built: `HELDOUT_REPOSITORY=https://… python -m build`.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)")


class PageHook(MetadataHookInterface):
    """Fills in the page and the addresses."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds `readme`, and `urls` where the repository is known."""
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        repository = os.environ.get("HELDOUT_REPOSITORY", "").rstrip("/")
        metadata["readme"] = {"content-type": "text/markdown", "text": page(readme, repository)}
        if repository:
            metadata["urls"] = {
                "Repository": repository,
                "Documentation": f"{repository}/tree/main/docs",
                "Changelog": f"{repository}/blob/main/CHANGELOG.md",
                "Issues": f"{repository}/issues",
            }


def page(readme: str, repository: str) -> str:
    """README with absolute links: pictures as they are, everything else as it is shown."""
    if not repository:
        return readme

    def absolute(found: re.Match[str]) -> str:
        picture, text, path = found.groups()
        return f"{picture}[{text}]({repository}/{'raw' if picture else 'blob'}/main/{path})"

    return LINK.sub(absolute, readme)
