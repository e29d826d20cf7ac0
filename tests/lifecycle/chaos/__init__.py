"""The chaos harness: a storm of faults over a store at work, and the clauses of the promise checked over what was logged.

``make chaos SEED=n SECONDS=n``. What is promised, which faults there are and what is expected of each stands in
docs/reliability.md.
"""
