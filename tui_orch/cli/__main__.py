"""``python -m tui_orch.cli``: the same as ``orch``."""

from tui_orch.cli.main import run

if __name__ == "__main__":
    run()
