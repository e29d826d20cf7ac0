"""``orch mcp``: the job tree for a person's own Claude Code, as an MCP server on stdin and stdout."""
