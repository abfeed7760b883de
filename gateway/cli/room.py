"""Whether a folder takes what a command is going to write, found before anything is done for it."""

import os
from pathlib import Path


def find_obstacle(folder: Path, names: tuple[str, ...] | None = None) -> Path | None:
    """Make a folder (0700) and return what keeps new files from being written; None: nothing does.

    With `names` only files of these names are in the way, else whatever the folder holds.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if names is None:
            return folder if any(folder.iterdir()) or not _takes(folder) else None
    except OSError:
        return folder
    # lexists: a link that leads nowhere is in the way as well.
    taken = next((folder / name for name in names if os.path.lexists(folder / name)), None)
    return taken or (None if _takes(folder) else folder)


def _takes(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)
