"""The tests. A package, so that this folder itself is not searched for modules: `tests/store` is not `store`."""
