"""Whether a folder takes what a command is going to write, found before anything is done for it."""

import os
from pathlib import Path


def find_obstacle(folder: Path, names: tuple[str, ...] | None = None) -> Path | None:
    """Make a folder (0700) and return what keeps new files from being written; None: nothing does.

    With `names` only files of these names are in the way, else whatever the folder holds.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = {each.name for each in folder.iterdir()}
    except OSError:
        return folder
    in_the_way = sorted(held if names is None else held.intersection(names))
    if in_the_way:
        return folder / in_the_way[0]
    return None if os.access(folder, os.W_OK | os.X_OK) else folder
