"""One attempt of one job: takes the lock, claims the attempt, runs the kind, records the outcome, ends what is left."""
