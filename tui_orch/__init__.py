"""tui-orch: a big task for Claude Code, split into a tree of workers, back as one result.

The packages are layers: ``cli``, ``demo``, ``tui`` and ``supervisor``, ``worker``, ``client``, ``request``; each imports only what
stands below it, and all of them the store.
"""
