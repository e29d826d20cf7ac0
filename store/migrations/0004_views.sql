-- Views for reading: sqlite3, sqlite-utils, Datasette. Nothing of the product depends on them.

-- Every tree, drawn: SELECT line FROM job_tree;
CREATE VIEW job_tree AS
WITH RECURSIVE walk(id, path) AS (
  SELECT id, printf('%010d', id) FROM jobs WHERE parent_id IS NULL
  UNION ALL
  SELECT jobs.id, walk.path || printf('%010d', jobs.id) FROM jobs JOIN walk ON jobs.parent_id = walk.id)
SELECT jobs.root_id, jobs.id, jobs.parent_id, jobs.depth, jobs.kind, jobs.status, jobs.reason, jobs.title,
  jobs.children - jobs.open_children AS children_ended, jobs.children, jobs.subtree_cost_usd,
  substr('                    ', 1, 2 * jobs.depth) || '#' || jobs.id || ' ' || jobs.status
    || CASE WHEN jobs.reason IS NULL THEN '' ELSE ' (' || jobs.reason || ')' END || '  ' || jobs.title AS line,
  walk.path
FROM walk JOIN jobs ON jobs.id = walk.id
ORDER BY walk.path;

-- Each tree with its counts, cost and limits.
CREATE VIEW tree_totals AS
SELECT trees.root_id, jobs.title, jobs.status, jobs.reason, trees.jobs, trees.max_jobs, trees.max_depth, trees.max_workers,
  coalesce((SELECT jobs FROM status_counts WHERE root_id = trees.root_id AND status = 'queued'), 0) AS queued,
  coalesce((SELECT jobs FROM status_counts WHERE root_id = trees.root_id AND status = 'running'), 0) AS running,
  coalesce((SELECT jobs FROM status_counts WHERE root_id = trees.root_id AND status = 'waiting'), 0) AS waiting,
  coalesce((SELECT jobs FROM status_counts WHERE root_id = trees.root_id AND status = 'completed'), 0) AS completed,
  coalesce((SELECT jobs FROM status_counts WHERE root_id = trees.root_id AND status = 'partial'), 0) AS partial,
  coalesce((SELECT jobs FROM status_counts WHERE root_id = trees.root_id AND status = 'failed'), 0) AS failed,
  coalesce((SELECT jobs FROM status_counts WHERE root_id = trees.root_id AND status = 'cancelled'), 0) AS cancelled,
  jobs.subtree_cost_usd AS cost_usd, trees.budget_usd, jobs.subtree_tokens AS tokens,
  datetime(jobs.created_ms / 1000, 'unixepoch') AS created_utc,
  (jobs.ended_ms - jobs.started_ms) / 1000.0 AS took_s
FROM trees JOIN jobs ON jobs.id = trees.root_id;

-- What has a process now.
CREATE VIEW running_now AS
SELECT jobs.id, jobs.root_id, jobs.depth, jobs.kind, jobs.attempt, attempts.pid, jobs.lending, jobs.stop_reason, jobs.title, jobs.activity,
  datetime(attempts.started_ms / 1000, 'unixepoch') AS since_utc,
  datetime(jobs.deadline_ms / 1000, 'unixepoch') AS deadline_utc
FROM jobs JOIN attempts ON attempts.job_id = jobs.id AND attempts.number = jobs.attempt
WHERE jobs.status = 'running';

-- What waits for a person.
CREATE VIEW open_asks AS
SELECT asks.id, asks.job_id, jobs.root_id, jobs.depth, jobs.title, asks.kind, asks.tool, asks.input, asks.title AS wants, asks.question, asks.options, asks.suggestions,
  datetime(asks.created_ms / 1000, 'unixepoch') AS since_utc
FROM asks JOIN jobs ON jobs.id = asks.job_id
WHERE asks.answer IS NULL;

-- What people have allowed and denied, and where it holds.
CREATE VIEW rules_in_force AS
SELECT rules.id, jobs.root_id, rules.job_id, rules.verdict, rules.rule, rules.text, jobs.title,
  datetime(rules.created_ms / 1000, 'unixepoch') AS since_utc
FROM rules JOIN jobs ON jobs.id = rules.job_id
WHERE rules.removed_ms IS NULL;
