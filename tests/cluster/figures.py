"""What the tests of clusters have measured, for whoever reads on: build/cluster-figures.json."""

import json
from pathlib import Path

PATH = Path(__file__).parents[2] / "build" / "cluster-figures.json"


def note(engine: str, **figures: object) -> None:
    """Keep figures of an engine beside those that are there; a figure's name tells its unit."""
    found = json.loads(PATH.read_text()) if PATH.exists() else {}
    found[engine] = {**found.get(engine, {}), **figures}
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    print(engine, figures)
