"""A worker on another machine than the store's: where it is told about, and how it reaches the store."""

#: In the store's folder: where workers run. Without it, they are processes of this machine.
CONFIG = "config.toml"
#: What runs workers; ``tui_orch.worker.remote.config`` says what each has to be told.
KINDS = ("local", "ray", "slurm")
