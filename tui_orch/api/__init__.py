"""The REST API: the store's functions over HTTP, for programs and for workers. The only package that knows FastAPI.

Has no rules of its own: what is allowed is decided by the store, who calls by ``callers``.
"""
