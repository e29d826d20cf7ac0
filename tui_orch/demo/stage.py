"""Sets the demo up: a folder, a store in it, and a scripted model in place of a real one. Shows nothing itself.

Whatever account the person has stays out of it: every variable that could lead Claude Code to a real model is taken out of
this process's environment before a supervisor is started from it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from store.home import FOLDER, Home, private_dir
from store.models import NewTree
from tui_orch.demo import notes_service
from tui_orch.demo.model import ScriptedModel
from tui_orch.request.compose import compose
from tui_orch.request.limits import Config

FOLDER_NAME = "tui-orch-demo"

_REAL_MODEL = ("ANTHROPIC_", "CLAUDE_CODE_", "AWS_", "CLOUD_ML_", "VERTEX_")


@dataclass(frozen=True, slots=True)
class Stage:
    """What is ready: submit ``tree`` to the store at ``home`` and supervise it."""

    folder: Path
    home: Home
    tree: NewTree
    model: ScriptedModel


def free_folder(parent: Path) -> Path:
    """Return a folder for the demo that does not exist yet."""
    names = [FOLDER_NAME, *(f"{FOLDER_NAME}-{number}" for number in range(2, 1_000))]
    return next(path for name in names if not (path := parent / name).exists())


@contextmanager
def staged(folder: Path, pace_s: float) -> Iterator[Stage]:
    """Prepare ``folder`` (new or empty) and serve the scripted model until the block ends. Raises OSError.

    ``pace_s``: seconds that the model thinks before each turn, so that a person can follow.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; the demo needs a folder of its own, see --into")
    home = Home(folder.absolute() / FOLDER)
    config = private_dir(home.root / "claude")
    with ScriptedModel(notes_service.script(pace_s), home.root / "model.jsonl") as model:
        for name in [name for name in os.environ if name.startswith(_REAL_MODEL)]:
            del os.environ[name]
        os.environ |= {
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "made-up-for-the-demo",
            "CLAUDE_CONFIG_DIR": str(config),
        }
        tree = compose(notes_service.document(), Config(workspace="shared"), folder.absolute())
        # Of the person's own settings nothing applies, so that the demo runs the same everywhere.
        yield Stage(folder, home, replace(tree, setting_sources=("project",)), model)
