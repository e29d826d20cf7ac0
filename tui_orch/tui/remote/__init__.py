"""A store behind HTTP, for the app: a copy that is kept up to date, and a person's hands on it through the REST API."""
