"""What a user writes: a request with its config, from Markdown, JSON or options, as a new tree."""
