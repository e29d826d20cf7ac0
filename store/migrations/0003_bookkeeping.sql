-- What follows from a change, in the same transaction: tree and depth of a new job, counters, costs, history, the change feed.
-- None of these triggers relies on recursion (PRAGMA recursive_triggers is off for most writers). Each holds store.busy_job
-- while it writes what no one else may (see store_guard_update), and gives it back at its end.

------------------------------------------------------------------------------------------------------------ a job is added
CREATE TRIGGER jobs_added AFTER INSERT ON jobs BEGIN
  SELECT RAISE(ABORT, 'illegal: the store gives the ids; leave the id out')
  WHERE NEW.id IS NOT 1 + coalesce((SELECT max(id) FROM jobs WHERE id < NEW.id), 0);

  UPDATE store SET seq = seq + 1, busy_job = NEW.id;
  UPDATE jobs SET
    depth      = coalesce((SELECT depth + 1 FROM jobs AS parent WHERE parent.id = NEW.parent_id), 0),
    root_id    = coalesce((SELECT root_id FROM jobs AS parent WHERE parent.id = NEW.parent_id), NEW.id),
    created_ms = coalesce(NEW.created_ms, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
    changed_ms = coalesce(NEW.created_ms, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
    title      = (SELECT rtrim(substr(said, 1, min(instr(said || char(10), char(10)) - 1, most)), char(9, 13, 32)) FROM (
                    SELECT CASE WHEN given IS '' THEN ltrim(NEW.request, char(9, 10, 13, 32)) ELSE given END AS said,
                      CASE WHEN given IS '' THEN 80 ELSE 200 END AS most
                    FROM (SELECT ltrim(coalesce(NEW.title, ''), char(9, 10, 13, 32)) AS given))),
    seq        = (SELECT seq FROM store)
  WHERE id = NEW.id;

  INSERT INTO trees(root_id, max_depth, max_jobs, max_children, max_workers, max_attempts, timeouts_s, work_dir, permission_mode, allowed_tools, park_after_s)
  SELECT NEW.id, max_depth, max_jobs, max_children, max_workers, max_attempts, timeouts_s, '', permission_mode, allowed_tools, park_after_s
  FROM settings WHERE NEW.parent_id IS NULL;

  UPDATE trees SET jobs = jobs + 1 WHERE root_id = (SELECT root_id FROM jobs WHERE id = NEW.id);
  UPDATE jobs SET children = children + 1, open_children = open_children + 1 WHERE id = NEW.parent_id;

  INSERT INTO changes(seq, job_id, at_ms, status, reason, attempt)
  SELECT store.seq, jobs.id, jobs.created_ms, jobs.status, jobs.reason, jobs.attempt FROM store, jobs WHERE jobs.id = NEW.id;
  INSERT INTO status_counts(root_id, status, jobs)
  SELECT root_id, NEW.status, 1 FROM (SELECT root_id FROM jobs WHERE id = NEW.id UNION ALL SELECT 0) WHERE true
  ON CONFLICT(root_id, status) DO UPDATE SET jobs = jobs + 1;
  UPDATE store SET busy_job = NULL;
END;

------------------------------------------------------------------------------------------------------- a job changes state
-- Who gives changed_ms in the statement, be it the same as before, has said when; for anyone else it is now.
CREATE TRIGGER jobs_timed BEFORE UPDATE OF changed_ms ON jobs WHEN NEW.status IS NOT OLD.status BEGIN
  UPDATE store SET given_ms = NEW.changed_ms;
END;
CREATE TRIGGER jobs_moved AFTER UPDATE OF status ON jobs WHEN NEW.status IS NOT OLD.status BEGIN
  UPDATE asks SET answer = 'void'
  WHERE job_id = NEW.id AND answer IS NULL AND (NEW.status IN ('completed', 'partial') OR NEW.status IN ('failed', 'cancelled'));

  UPDATE store SET seq = seq + 1, busy_job = NEW.id;
  UPDATE jobs SET
    changed_ms = coalesce((SELECT given_ms FROM store), CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
    ended_ms   = CASE WHEN NEW.status IN ('completed', 'partial') OR NEW.status IN ('failed', 'cancelled') THEN coalesce(NEW.ended_ms, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) END,
    seq        = (SELECT seq FROM store)
  WHERE id = NEW.id;
  INSERT INTO changes(seq, job_id, at_ms, status, reason, attempt)
  SELECT store.seq, jobs.id, jobs.changed_ms, jobs.status, jobs.reason, jobs.attempt FROM store, jobs WHERE jobs.id = NEW.id;

  UPDATE jobs SET open_children = open_children
      + (NEW.status IN ('queued', 'running') OR NEW.status = 'waiting') - (OLD.status IN ('queued', 'running') OR OLD.status = 'waiting')
  WHERE id = NEW.parent_id
    AND (NEW.status IN ('queued', 'running') OR NEW.status = 'waiting') IS NOT (OLD.status IN ('queued', 'running') OR OLD.status = 'waiting');
  UPDATE status_counts SET jobs = jobs - 1 WHERE root_id IN (NEW.root_id, 0) AND status = OLD.status;
  INSERT INTO status_counts(root_id, status, jobs)
  SELECT root_id, NEW.status, 1 FROM (SELECT NEW.root_id AS root_id UNION ALL SELECT 0) WHERE true
  ON CONFLICT(root_id, status) DO UPDATE SET jobs = jobs + 1;
  UPDATE store SET busy_job = NULL, given_ms = NULL;
END;

--------------------------------------------------------------------------------------------------------------- costs go up
CREATE TRIGGER attempts_cost AFTER UPDATE OF cost_usd, input_tokens, output_tokens ON attempts
WHEN NEW.cost_usd IS NOT OLD.cost_usd OR NEW.input_tokens IS NOT OLD.input_tokens OR NEW.output_tokens IS NOT OLD.output_tokens BEGIN
  -- Nothing is due if a tiny cost vanishes beside a big one, or if tokens only move between the columns.
  UPDATE store SET busy_job = NEW.job_id WHERE EXISTS (
    SELECT 1 FROM jobs WHERE id = NEW.job_id AND (
         cost_usd IS NOT (SELECT total(cost_usd) FROM attempts WHERE job_id = NEW.job_id)
      OR tokens IS NOT (SELECT sum(input_tokens + output_tokens) FROM attempts WHERE job_id = NEW.job_id)));
  UPDATE jobs SET
    subtree_cost_usd = subtree_cost_usd + NEW.cost_usd - OLD.cost_usd,
    subtree_tokens   = subtree_tokens + NEW.input_tokens + NEW.output_tokens - OLD.input_tokens - OLD.output_tokens,
    cost_usd = CASE WHEN id = NEW.job_id THEN (SELECT total(cost_usd) FROM attempts WHERE job_id = NEW.job_id) ELSE cost_usd END,
    tokens   = CASE WHEN id = NEW.job_id THEN (SELECT sum(input_tokens + output_tokens) FROM attempts WHERE job_id = NEW.job_id) ELSE tokens END
  WHERE (SELECT busy_job FROM store) IS NEW.job_id AND id IN (
    WITH RECURSIVE above(id) AS (
      SELECT NEW.job_id UNION ALL SELECT jobs.parent_id FROM jobs JOIN above ON jobs.id = above.id WHERE jobs.parent_id IS NOT NULL LIMIT 8)
    SELECT id FROM above);
  UPDATE store SET busy_job = NULL;
END;

--------------------------------------------------------------------------------------------------------------------- asks
CREATE TRIGGER asks_opened AFTER INSERT ON asks BEGIN
  UPDATE store SET busy_job = NEW.job_id;
  UPDATE jobs SET open_asks = open_asks + 1 WHERE id = NEW.job_id;
  UPDATE store SET busy_job = NULL;
END;
CREATE TRIGGER asks_answered AFTER UPDATE OF answer ON asks WHEN OLD.answer IS NULL AND NEW.answer IS NOT NULL BEGIN
  UPDATE store SET busy_job = NEW.job_id;
  UPDATE jobs SET open_asks = open_asks - 1 WHERE id = NEW.job_id;
  UPDATE store SET busy_job = NULL;
END;

---------------------------------------------------------------------------------------------------------- the change feed
-- Every change of a job's row gives it a higher seq, so that "what changed since N" is one range of an index. A change of
-- its state has its seq from jobs_moved.
CREATE TRIGGER jobs_feed AFTER UPDATE ON jobs WHEN NEW.seq IS OLD.seq AND NEW.status IS OLD.status BEGIN
  UPDATE store SET seq = seq + 1;
  UPDATE jobs SET seq = (SELECT seq FROM store) WHERE id = NEW.id;
END;
-- A tree's limits and pause are shown with its root job: they count as a change of it.
CREATE TRIGGER trees_feed AFTER UPDATE ON trees WHEN NEW.jobs IS OLD.jobs BEGIN
  UPDATE store SET seq = seq + 1;
  UPDATE jobs SET seq = (SELECT seq FROM store) WHERE id = NEW.root_id;
END;
-- So do the rules of a job with that job.
CREATE TRIGGER rules_added AFTER INSERT ON rules BEGIN
  UPDATE store SET seq = seq + 1;
  UPDATE jobs SET seq = (SELECT seq FROM store) WHERE id = NEW.job_id;
END;
CREATE TRIGGER rules_removed AFTER UPDATE ON rules BEGIN
  UPDATE store SET seq = seq + 1;
  UPDATE jobs SET seq = (SELECT seq FROM store) WHERE id = NEW.job_id;
END;
