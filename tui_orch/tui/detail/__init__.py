"""The detail of the job under the cursor, a file a tab: output, request, result, attempts, limits, changes."""
