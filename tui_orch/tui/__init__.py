"""The terminal app: a screen on a store. Only this package knows Textual; closing it stops nothing."""
