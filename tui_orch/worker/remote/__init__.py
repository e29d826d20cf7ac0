"""A worker on another machine than the store's: where it is told about, and how it reaches the store."""

#: In the store's folder: where workers run. Without it, they are processes of this machine.
CONFIG = "config.toml"
#: In a worker's environment: the code with which it claims its attempt, once.
CLAIM_CODE = "ORCH_CLAIM_CODE"
#: What runs workers; ``tui_orch.worker.remote.config`` says what each has to be told.
KINDS = ("local", "ray", "slurm")
