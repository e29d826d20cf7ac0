"""The command ``orch``: a verb a file. Thin: what it does is in the store, the supervisor and the request."""
