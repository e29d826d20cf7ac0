"""Git worktrees of jobs: made, committed, merged and removed by git's own command line. Knows git alone, no store."""
