"""The job tree in one SQLite file: its schema, its rules and every change that may be made to it.

Knows nothing of processes, of Claude Code or of a screen. Each verb is a function in a module of its own name
(``submit``, ``claim``, ``finish``, ``control``, ``asks``) that takes an open transaction and the time.
"""
