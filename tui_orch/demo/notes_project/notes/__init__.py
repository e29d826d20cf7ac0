"""A small notes service: SQLite storage, a JSON API, and one page in the browser."""
