"""Engines that run workers on other machines, and the launcher over them; an engine knows nothing of the store."""
