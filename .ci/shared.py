"""Build hook: every man page and completion script goes where the system looks for them."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPLETIONS = {
    "completions/psops.bash": "share/bash-completion/completions/psops",
    "completions/_psops": "share/zsh/site-functions/_psops",
    "completions/psops.fish": "share/fish/vendor_completions.d/psops.fish",
}


class SharedFiles(BuildHookInterface[Any]):
    """Adds the files of man/ and completions/ to the wheel; no list is kept by hand."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Tell the wheel which files of the checkout it has in share/."""
        root = Path(self.root)
        pages = {
            f"man/{page.name}": f"share/man/man{page.suffix[1:]}/{page.name}"
            for page in sorted((root / "man").glob("psops*.[1-8]"))
        }
        build_data["shared_data"].update(
            {str(root / source): target for source, target in (pages | COMPLETIONS).items()}
        )
