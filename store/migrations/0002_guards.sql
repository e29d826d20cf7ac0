-- What no writer may do: the limits, the legal steps, and what never changes. These hold for the API, the CLI, workers and
-- anyone with `sqlite3` alike.
--
-- How a refusal speaks: RAISE() takes only a fixed text in the SQLite versions that people have (before 3.47), but a
-- refusal must name the limit, its value, the job and the way out. json_extract() fails with its path in the message, so
-- the text goes there; RAISE() stands behind it in case a later version ever should not fail. Every text starts with a
-- code and a colon; store/refusals.py turns it into an exception. A NULL within a text makes it NULL, which is no refusal:
-- only what can not be NULL stands in one.
--
-- Each WHEN or CASE uses IS NOT, since <> is NULL beside a NULL. The guards name no columns (BEFORE UPDATE OF id would
-- miss an assignment to rowid), but for the marked ones below, where there is no such alias.
--
-- Marked columns: their guards call a function that only tui-orch's own connections have. Anyone else gets "no such
-- function: ..." with the way out as its name, so a worker with `sqlite3` does not raise the limits it runs under, answer
-- its own asks, lift a pause, lend its slot while it goes on, or take back that it is to stop.
--
-- Lists of three and more values in IN (...) build a table each time they are looked at: where every change passes, they
-- are written as shorter ones.
--
-- Computed columns (counters, totals, history) change only while store.busy_job names a job. That can be set for a job
-- alone whose bookkeeping is due, and it is due only within the triggers of 0003_bookkeeping.sql: see store_guard_update.

------------------------------------------------------------------------------------------------------------- jobs: insert
CREATE TRIGGER jobs_guard_insert BEFORE INSERT ON jobs BEGIN
  SELECT coalesce(json_extract('{}', refusal), RAISE(ABORT, 'refused: by the rules of the store'))
  FROM (SELECT CASE
    WHEN EXISTS (SELECT 1 FROM jobs WHERE id = NEW.id)
      THEN 'illegal: job #' || NEW.id || ' exists; leave the id out, the store gives it'
    WHEN NEW.depth IS NOT NULL OR NEW.root_id IS NOT NULL
      THEN 'illegal: depth and root_id are computed from parent_id; leave them out'
    WHEN NEW.status IS NOT 'queued' OR NEW.reason IS NOT NULL OR NEW.attempt IS NOT 0 OR NEW.tries IS NOT 0
      OR NEW.own_status IS NOT NULL OR NEW.result IS NOT NULL OR NEW.error IS NOT NULL OR NEW.data IS NOT NULL
      OR NEW.denials IS NOT '[]' OR NEW.session_id IS NOT NULL OR NEW.waiting_for IS NOT NULL OR NEW.delivered IS NOT 0
      OR NEW.children IS NOT 0 OR NEW.open_children IS NOT 0 OR NEW.open_asks IS NOT 0 OR NEW.lending IS NOT 0
      OR NEW.wants_slot IS NOT 0 OR NEW.stop_reason IS NOT NULL OR NEW.stop_requested_ms IS NOT NULL
      OR NEW.not_before_ms IS NOT NULL OR NEW.deadline_ms IS NOT NULL OR NEW.changed_ms IS NOT NULL OR NEW.started_ms IS NOT NULL
      OR NEW.ended_ms IS NOT NULL OR NEW.activity IS NOT NULL OR NEW.activity_ms IS NOT NULL OR NEW.cost_usd IS NOT 0.0
      OR NEW.subtree_cost_usd IS NOT 0.0 OR NEW.tokens IS NOT 0 OR NEW.subtree_tokens IS NOT 0 OR NEW.seq IS NOT 0
      THEN 'illegal: a new job is queued and empty; give parent_id, request, kind and what it asks for, no more'
    WHEN NEW.kind NOT IN ('claude', 'command') AND NEW.kind IS NOT 'group'
      THEN 'bad_input: kind is ' || quote(substr(NEW.kind, 1, 40)) || '; allowed: claude, command, group'
    WHEN trim(NEW.request, char(9, 10, 11, 12, 13, 32, 160, 12288)) IS '' THEN 'bad_input: the request is empty'
    WHEN length(CAST(NEW.request AS BLOB)) > 262144
      THEN 'bad_input: the request has ' || length(CAST(NEW.request AS BLOB)) || ' bytes; allowed: 262144'
    WHEN instr(CAST(NEW.request AS BLOB), x'00') > 0 THEN 'bad_input: the request holds a NUL byte'
    WHEN NEW.priority NOT BETWEEN -100 AND 100 THEN 'bad_input: priority is ' || NEW.priority || '; allowed: -100 to 100'
    WHEN NEW.timeout_s IS NOT NULL AND NOT (NEW.timeout_s > 0 AND NEW.timeout_s <= 604800)
      THEN 'bad_input: timeout_s is ' || NEW.timeout_s || '; allowed: above 0, up to 604800'
    WHEN NEW.budget_usd IS NOT NULL AND NOT (NEW.budget_usd > 0 AND NEW.budget_usd <= 1000000000)
      THEN 'bad_input: budget_usd is ' || NEW.budget_usd || '; allowed: above 0, up to 1000000000'
    WHEN NEW.created_ms IS NOT NULL AND NEW.created_ms NOT BETWEEN 0 AND 253402300799999
      THEN 'bad_input: created_ms is ' || quote(NEW.created_ms) || '; allowed: milliseconds since 1970, up to the year 9999'
    WHEN NEW.argv IS NOT NULL AND (NEW.kind IS NOT 'command' OR NOT json_valid(NEW.argv) OR instr(NEW.argv, '\u0000') > 0)
      THEN 'bad_input: argv is a JSON array of strings without NUL, for kind command alone'
    WHEN NEW.argv IS NOT NULL AND (json_type(NEW.argv) IS NOT 'array' OR json_array_length(NEW.argv) = 0
      OR EXISTS (SELECT 1 FROM json_each(NEW.argv) WHERE type IS NOT 'text'))
      THEN 'bad_input: argv is a JSON array of strings, at least one'
    WHEN NEW.batch IS NOT NULL AND NEW.batch NOT BETWEEN 1 AND 1 + coalesce((SELECT children FROM jobs WHERE id = NEW.parent_id), -1)
      THEN 'bad_input: batch is ' || quote(NEW.batch) || '; leave it out, the store numbers the batches of a job'
    WHEN NEW.parent_id IS NULL THEN NULL
    ELSE (
      SELECT CASE
        WHEN parent.id IS NULL THEN 'not_found: there is no job #' || NEW.parent_id || ' to be the parent'
        WHEN parent.status NOT IN ('running', 'waiting') AND NOT (parent.status = 'queued' AND parent.kind = 'group')
          THEN 'illegal: job #' || parent.id || ' is ' || parent.status || '; only a job that is running or waiting takes children'
        WHEN parent.stop_reason IS NOT NULL
          THEN 'illegal: job #' || parent.id || ' is being stopped (' || parent.stop_reason || '); it takes no more children'
        WHEN parent.depth IS NULL OR tree.root_id IS NULL
          THEN 'illegal: job #' || parent.id || ' has no tree; the store was changed behind its rules, see: orch doctor'
        WHEN parent.depth + 1 > tree.max_depth
          THEN 'max_depth: job #' || parent.id || ' is at depth ' || parent.depth || ' and max_depth of tree #' || tree.root_id
            || ' is ' || tree.max_depth || '; do the work in this job'
            || CASE WHEN tree.max_depth < 5
               THEN ', or a person raises it: orch limits ' || tree.root_id || ' --max-depth ' || (tree.max_depth + 1)
               ELSE ' (5 is the highest)' END
        WHEN (SELECT count(*) FROM jobs WHERE parent_id = parent.id) >= tree.max_children
          THEN 'max_children: job #' || parent.id || ' has ' || parent.children || ' children and max_children of tree #'
            || tree.root_id || ' is ' || tree.max_children || '; do the rest in this job, or a person raises it: orch limits '
            || tree.root_id || ' --max-children ' || (tree.max_children + 1)
        WHEN tree.jobs >= tree.max_jobs
          THEN 'max_jobs: tree #' || tree.root_id || ' of job #' || parent.id || ' has ' || tree.jobs || ' jobs and its max_jobs is '
            || tree.max_jobs || '; do the rest in this job, or a person raises it: orch limits ' || tree.root_id
            || ' --max-jobs ' || (tree.max_jobs + 1)
        WHEN trim(NEW.request, char(9, 10, 13, 32)) IN (
          WITH RECURSIVE above(id, request, parent_id) AS (
            SELECT id, request, parent_id FROM jobs WHERE id = NEW.parent_id
            UNION ALL
            SELECT jobs.id, jobs.request, jobs.parent_id FROM jobs JOIN above ON jobs.id = above.parent_id LIMIT 8)
          SELECT trim(request, char(9, 10, 13, 32)) FROM above)
          THEN 'repeats: this request is the same as that of job #' || parent.id || ' or of one above it; ask for a part of it instead'
      END
      FROM (SELECT 1) LEFT JOIN jobs AS parent ON parent.id = NEW.parent_id LEFT JOIN trees AS tree ON tree.root_id = parent.root_id)
  END AS refusal)
  WHERE refusal IS NOT NULL;
END;

------------------------------------------------------------------------------------------------------------- jobs: update
CREATE TRIGGER jobs_guard_update BEFORE UPDATE ON jobs BEGIN
  SELECT coalesce(json_extract('{}', refusal), RAISE(ABORT, 'refused: by the rules of the store'))
  FROM (SELECT CASE
    WHEN NEW.id IS NOT OLD.id OR NEW.parent_id IS NOT OLD.parent_id OR NEW.kind IS NOT OLD.kind
      OR NEW.request IS NOT OLD.request OR NEW.argv IS NOT OLD.argv OR NEW.batch IS NOT OLD.batch
      THEN 'illegal: id, parent, kind, request, argv and batch of job #' || OLD.id || ' never change'
    WHEN OLD.depth IS NOT NULL AND (NEW.depth IS NOT OLD.depth OR NEW.root_id IS NOT OLD.root_id
      OR NEW.created_ms IS NOT OLD.created_ms OR NEW.title IS NOT OLD.title)
      THEN 'illegal: depth, tree, title and time of creation of job #' || OLD.id || ' never change'
    WHEN OLD.depth IS NULL AND NEW.depth IS NOT NULL AND (
         NEW.depth IS NOT coalesce((SELECT depth + 1 FROM jobs WHERE id = OLD.parent_id), 0)
      OR NEW.root_id IS NOT coalesce((SELECT root_id FROM jobs WHERE id = OLD.parent_id), OLD.id))
      THEN 'illegal: depth and tree of job #' || OLD.id || ' are computed from its parent'
    WHEN (NEW.children IS NOT OLD.children OR NEW.open_children IS NOT OLD.open_children OR NEW.open_asks IS NOT OLD.open_asks
        OR NEW.cost_usd IS NOT OLD.cost_usd OR NEW.subtree_cost_usd IS NOT OLD.subtree_cost_usd
        OR NEW.tokens IS NOT OLD.tokens OR NEW.subtree_tokens IS NOT OLD.subtree_tokens)
      AND (SELECT busy_job FROM store) IS NULL
      THEN 'illegal: the counters and totals of job #' || OLD.id || ' are computed'
    WHEN NEW.seq IS NOT OLD.seq AND (NEW.seq IS NOT (SELECT seq FROM store) OR EXISTS (SELECT 1 FROM jobs WHERE seq = NEW.seq))
      THEN 'illegal: seq of job #' || OLD.id || ' is computed'
    WHEN NEW.changed_ms NOT BETWEEN 0 AND 253402300799999 OR NEW.ended_ms NOT BETWEEN 0 AND 253402300799999
      OR NEW.activity_ms NOT BETWEEN 0 AND 253402300799999 OR (OLD.changed_ms IS NOT NULL AND NEW.changed_ms IS NULL)
      THEN 'bad_input: times are milliseconds since 1970, up to the year 9999'
    WHEN NEW.priority NOT BETWEEN -100 AND 100 THEN 'bad_input: priority is ' || NEW.priority || '; allowed: -100 to 100'
    WHEN NEW.budget_usd IS NOT NULL AND NOT (NEW.budget_usd > 0 AND NEW.budget_usd <= 1000000000)
      THEN 'bad_input: budget_usd is ' || NEW.budget_usd || '; allowed: above 0, up to 1000000000'
    WHEN NEW.data IS NOT OLD.data AND NOT json_valid(NEW.data) THEN 'bad_input: data of job #' || OLD.id || ' is JSON'
    WHEN NEW.status IS NULL  -- UPDATE OR REPLACE would put the default in its place, behind the back of what follows
      THEN 'illegal: job #' || OLD.id || ' is ' || OLD.status || ' and can not become NULL'
    WHEN NEW.status IS NOT OLD.status AND (OLD.status || '>' || NEW.status) NOT IN (
         'queued>running', 'queued>waiting', 'queued>failed', 'queued>cancelled',
         'running>queued', 'running>waiting', 'running>completed', 'running>partial', 'running>failed', 'running>cancelled',
         'waiting>queued', 'waiting>completed', 'waiting>partial', 'waiting>failed', 'waiting>cancelled',
         'partial>queued', 'partial>waiting', 'failed>queued', 'failed>waiting', 'cancelled>queued', 'cancelled>waiting')
      THEN 'illegal: job #' || OLD.id || ' is ' || OLD.status || ' and can not become ' || NEW.status
    WHEN NEW.status IS NOT OLD.status AND (NEW.status IN ('completed', 'partial') OR NEW.status IN ('failed', 'cancelled'))
      AND EXISTS (SELECT 1 FROM jobs WHERE parent_id = OLD.id AND (status IN ('queued', 'running') OR status = 'waiting'))
      THEN 'illegal: job #' || OLD.id || ' has children that have not ended, so it can not become ' || NEW.status
        || '; a whole subtree is ended by: orch cancel ' || OLD.id
    WHEN NEW.status IS NOT OLD.status AND NEW.status IS 'completed'
      AND EXISTS (SELECT 1 FROM jobs WHERE parent_id = OLD.id AND status IS NOT 'completed')
      THEN 'illegal: job #' || OLD.id || ' has children that did not complete, so it can not become completed'
    WHEN NEW.status IS NOT OLD.status AND OLD.status IS 'running'
      AND EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.id AND number = OLD.attempt AND ended_ms IS NULL)
      THEN 'illegal: attempt ' || OLD.attempt || ' of job #' || OLD.id || ' has not ended; its worker is stopped by: orch cancel ' || OLD.id
    WHEN NEW.status IS 'waiting' AND NEW.waiting_for IS NOT 'children' AND NEW.waiting_for IS NOT 'ask'
      THEN 'illegal: job #' || OLD.id || ' would wait for nothing; a waiting job has waiting_for children or ask'
    WHEN NEW.status IS NOT OLD.status AND (OLD.status = 'partial' OR OLD.status IN ('failed', 'cancelled'))
      AND (NEW.tries IS NOT 0 OR NEW.delivered IS NOT 0 OR NEW.stop_reason IS NOT NULL OR NEW.not_before_ms IS NOT NULL
        OR NEW.ended_ms IS NOT NULL OR (NEW.status IS 'queued' AND NEW.own_status IS NOT NULL))
      THEN 'illegal: job #' || OLD.id || ' has ended (' || OLD.status || '); it is opened again by: orch retry ' || OLD.id
    WHEN NEW.ended_ms IS NOT NULL AND (NEW.status IN ('queued', 'running') OR NEW.status = 'waiting')
      THEN 'illegal: job #' || OLD.id || ' is ' || NEW.status || ', so it has no time of its end'
    WHEN NEW.status IS NOT OLD.status AND (OLD.status = 'partial' OR OLD.status IN ('failed', 'cancelled'))
      AND EXISTS (SELECT 1 FROM jobs WHERE id = OLD.parent_id
        AND (status IN ('completed', 'partial') OR status IN ('failed', 'cancelled')))
      THEN 'illegal: the parent of job #' || OLD.id || ' has ended; both are opened again by: orch retry ' || OLD.id
    WHEN OLD.status = 'queued' AND NEW.status = 'waiting' AND OLD.kind IS NOT 'group'
      THEN 'illegal: job #' || OLD.id || ' is of kind ' || OLD.kind || '; only a group waits without having run'
    WHEN NEW.status IS NOT OLD.status AND NEW.status = 'queued' AND OLD.kind = 'group' AND OLD.children > 0
      AND (SELECT workspace FROM trees WHERE root_id = OLD.root_id) IS NOT 'worktree'
      THEN 'illegal: job #' || OLD.id || ' is a group that has its children; queued again, it would get them once more'
    WHEN OLD.status = 'queued' AND NEW.status = 'running' AND OLD.kind = 'group'
      AND (OLD.children = 0 OR (SELECT workspace FROM trees WHERE root_id = OLD.root_id) IS NOT 'worktree')
      THEN 'illegal: job #' || OLD.id || ' is a group; it has no process, but to merge what its children have committed'
    WHEN NEW.attempt IS NOT OLD.attempt + (OLD.status = 'queued' AND NEW.status = 'running')
      THEN 'illegal: job #' || OLD.id || ' is at attempt ' || OLD.attempt || '; it rises by one when the job starts, and never else'
    WHEN NEW.status = 'running' AND NEW.lending IS 0 AND (OLD.status IS NOT 'running' OR OLD.lending IS NOT 0)
      AND (SELECT count(*) FROM jobs WHERE status = 'running' AND root_id = OLD.root_id AND lending = 0 AND id IS NOT OLD.id)
        >= (SELECT max_workers FROM trees WHERE root_id = OLD.root_id)
      THEN 'max_workers: tree #' || OLD.root_id || ' runs as many workers as its max_workers allows ('
        || (SELECT max_workers FROM trees WHERE root_id = OLD.root_id) || '), so job #' || OLD.id
        || ' stays; a person raises it: orch limits ' || OLD.root_id || ' --max-workers N'
    WHEN NEW.status IS OLD.status AND (NEW.status IN ('completed', 'partial') OR NEW.status IN ('failed', 'cancelled')) AND (
         NEW.result IS NOT OLD.result OR NEW.error IS NOT OLD.error OR NEW.data IS NOT OLD.data OR NEW.reason IS NOT OLD.reason
      OR (OLD.ended_ms IS NOT NULL AND NEW.ended_ms IS NOT OLD.ended_ms) OR NEW.own_status IS NOT OLD.own_status
      OR NEW.denials IS NOT OLD.denials)
      THEN 'illegal: job #' || OLD.id || ' has ended (' || OLD.status || '); its result never changes'
  END AS refusal)
  WHERE refusal IS NOT NULL;
END;

-- Marked: what only the store's own functions write, because a limit, a stop or the end of a wait hangs on it.
CREATE TRIGGER jobs_guard_marked
BEFORE UPDATE OF attempt, tries, own_status, denials, session_id, waiting_for, delivered, lending, wants_slot, stop_reason,
  stop_requested_ms, not_before_ms, deadline_ms, started_ms, timeout_s, budget_usd ON jobs BEGIN
  SELECT jobs_are_steered_by_the_orch_commands();
END;

CREATE TRIGGER jobs_guard_delete BEFORE DELETE ON jobs BEGIN
  SELECT RAISE(ABORT, 'illegal: jobs are never deleted; cancel one with: orch cancel ID');
END;

------------------------------------------------------------------------------------------------------------ trees: limits
CREATE TRIGGER trees_guard_insert BEFORE INSERT ON trees BEGIN
  SELECT RAISE(ABORT, 'illegal: a tree is made with its root job, once')
  WHERE EXISTS (SELECT 1 FROM trees WHERE root_id = NEW.root_id)
     OR NOT EXISTS (SELECT 1 FROM jobs WHERE id = NEW.root_id AND parent_id IS NULL)
     OR (SELECT busy_job FROM store) IS NOT NEW.root_id;
END;

CREATE TRIGGER trees_guard_delete BEFORE DELETE ON trees BEGIN
  SELECT RAISE(ABORT, 'illegal: trees are never deleted');
END;

CREATE TRIGGER trees_guard_update BEFORE UPDATE ON trees BEGIN
  SELECT RAISE(ABORT, 'illegal: the tree of a root never changes, and its count of jobs is computed')
  WHERE NEW.root_id IS NOT OLD.root_id
     OR (NEW.jobs IS NOT OLD.jobs AND (NEW.jobs IS NOT OLD.jobs + 1 OR (SELECT busy_job FROM store) IS NULL));
END;

-- Marked.
CREATE TRIGGER trees_guard_limits
BEFORE UPDATE OF max_depth, max_jobs, max_children, max_workers, max_attempts, timeouts_s, budget_usd, permission_mode, allowed_tools ON trees BEGIN
  SELECT limits_are_changed_by_the_command_orch_limits();
  SELECT coalesce(json_extract('{}', refusal), RAISE(ABORT, 'refused: by the rules of the store'))
  FROM (SELECT CASE
    WHEN NEW.max_depth NOT BETWEEN 0 AND 5 THEN 'bad_input: max_depth is ' || NEW.max_depth || '; allowed: 0 to 5'
    WHEN NEW.max_depth < (SELECT max(depth) FROM jobs WHERE root_id = OLD.root_id)
      THEN 'bad_input: max_depth is ' || NEW.max_depth || ', but tree #' || OLD.root_id || ' already has jobs at depth '
        || (SELECT max(depth) FROM jobs WHERE root_id = OLD.root_id)
    WHEN NEW.max_jobs NOT BETWEEN 1 AND 10000000 THEN 'bad_input: max_jobs is ' || NEW.max_jobs || '; allowed: 1 to 10000000'
    WHEN NEW.max_children NOT BETWEEN 1 AND 100000
      THEN 'bad_input: max_children is ' || NEW.max_children || '; allowed: 1 to 100000'
    WHEN NEW.max_workers NOT BETWEEN 1 AND (SELECT max_workers_ceiling FROM settings)
      THEN 'bad_input: max_workers is ' || NEW.max_workers || '; allowed: 1 to ' || (SELECT max_workers_ceiling FROM settings)
        || ' (a person raises that: orch settings max_workers_ceiling N)'
    WHEN NEW.max_attempts NOT BETWEEN 1 AND 100 THEN 'bad_input: max_attempts is ' || NEW.max_attempts || '; allowed: 1 to 100'
    WHEN NOT json_valid(NEW.timeouts_s) OR json_type(NEW.timeouts_s) IS NOT 'array' OR json_array_length(NEW.timeouts_s) = 0
      OR EXISTS (SELECT 1 FROM json_each(NEW.timeouts_s) WHERE type NOT IN ('integer', 'real') OR NOT (value > 0 AND value <= 604800))
      THEN 'bad_input: timeouts_s is a JSON array of seconds, each above 0, up to 604800'
    WHEN NEW.budget_usd IS NOT NULL AND NOT (NEW.budget_usd > 0 AND NEW.budget_usd <= 1000000000)
      THEN 'bad_input: budget_usd is ' || NEW.budget_usd || '; allowed: above 0, up to 1000000000'
    WHEN NEW.permission_mode NOT IN ('acceptEdits', 'default', 'plan', 'dontAsk', 'bypassPermissions')
      THEN 'bad_input: permission_mode is ' || quote(substr(NEW.permission_mode, 1, 40))
        || '; allowed: acceptEdits, default, plan, dontAsk, bypassPermissions'
  END AS refusal)
  WHERE refusal IS NOT NULL;
END;

-- Marked.
CREATE TRIGGER trees_guard_ways BEFORE UPDATE OF work_dir, model, setting_sources, park_after_s, paused_ms, workspace, repository,
  base_branch, base_commit, branch_prefix, workspace_setup ON trees BEGIN
  SELECT pauses_are_made_by_the_command_orch_pause();
  SELECT RAISE(ABORT, 'illegal: where the work of a tree goes never changes')
  WHERE OLD.workspace = 'worktree' AND (NEW.workspace IS NOT OLD.workspace OR NEW.repository IS NOT OLD.repository
    OR NEW.base_branch IS NOT OLD.base_branch OR NEW.base_commit IS NOT OLD.base_commit OR NEW.branch_prefix IS NOT OLD.branch_prefix);
  SELECT RAISE(ABORT, 'bad_input: workspace is shared, or worktree with repository, base_commit and branch_prefix')
  WHERE NOT (NEW.workspace = 'shared' OR (NEW.workspace = 'worktree' AND NEW.repository IS NOT NULL AND NEW.base_commit IS NOT NULL
    AND NEW.branch_prefix IS NOT NULL));
  SELECT coalesce(json_extract('{}', 'bad_input: park_after_s is ' || NEW.park_after_s || '; allowed: 0 to 604800'),
    RAISE(ABORT, 'refused: by the rules of the store'))
  WHERE NOT (NEW.park_after_s >= 0 AND NEW.park_after_s <= 604800);
END;

--------------------------------------------------------------------------------------------------------- store, settings
CREATE TRIGGER store_guard_insert BEFORE INSERT ON store BEGIN SELECT RAISE(ABORT, 'illegal: the store has one row'); END;
CREATE TRIGGER store_guard_delete BEFORE DELETE ON store BEGIN SELECT RAISE(ABORT, 'illegal: the store has one row'); END;
CREATE TRIGGER store_guard_update BEFORE UPDATE ON store BEGIN
  SELECT RAISE(ABORT, 'illegal: the store keeps its identity, and its seq rises one by one')
  WHERE NEW.one IS NOT 1 OR NEW.store_id IS NOT OLD.store_id OR NEW.created_ms IS NOT OLD.created_ms
     OR (NEW.seq IS NOT OLD.seq AND NEW.seq IS NOT OLD.seq + 1)
     OR (NEW.given_ms IS NOT NULL AND NEW.given_ms NOT BETWEEN 0 AND 253402300799999);
  -- Due: the row differs from what has been booked for it. Between statements that is true of no job, because the triggers
  -- that book a change run within the statement that makes it.
  SELECT RAISE(ABORT, 'illegal: counters, totals and history are written by the store alone')
  WHERE NEW.busy_job IS NOT OLD.busy_job AND NEW.busy_job IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM jobs WHERE id = NEW.busy_job AND (
         depth IS NULL
      OR status IS NOT (SELECT status FROM changes WHERE job_id = jobs.id ORDER BY seq DESC LIMIT 1)
      OR open_asks IS NOT (SELECT count(*) FROM asks WHERE job_id = jobs.id AND answer IS NULL)
      OR cost_usd IS NOT (SELECT total(cost_usd) FROM attempts WHERE job_id = jobs.id)
      OR tokens IS NOT (SELECT coalesce(sum(input_tokens + output_tokens), 0) FROM attempts WHERE job_id = jobs.id)));
END;
-- Marked.
CREATE TRIGGER store_guard_pause BEFORE UPDATE OF paused_ms, brake_reason, brake_kind, brake_until_ms, api_strikes, crash_strikes ON store BEGIN
  SELECT pauses_are_made_by_the_command_orch_pause();
END;
CREATE TRIGGER settings_guard_insert BEFORE INSERT ON settings BEGIN SELECT RAISE(ABORT, 'illegal: settings have one row'); END;
CREATE TRIGGER settings_guard_delete BEFORE DELETE ON settings BEGIN SELECT RAISE(ABORT, 'illegal: settings have one row'); END;
CREATE TRIGGER settings_guard_update BEFORE UPDATE ON settings BEGIN
  SELECT settings_are_changed_by_the_command_orch_settings();
  SELECT coalesce(json_extract('{}', refusal), RAISE(ABORT, 'refused: by the rules of the store'))
  FROM (SELECT CASE
    WHEN NEW.one IS NOT 1 THEN 'illegal: settings have one row'
    WHEN NEW.slots NOT BETWEEN 1 AND 1000 THEN 'bad_input: slots is ' || NEW.slots || '; allowed: 1 to 1000'
    WHEN NEW.max_workers_ceiling NOT BETWEEN 1 AND 1000
      THEN 'bad_input: max_workers_ceiling is ' || NEW.max_workers_ceiling || '; allowed: 1 to 1000'
    WHEN NEW.min_free_memory_mb < 0 THEN 'bad_input: min_free_memory_mb is ' || NEW.min_free_memory_mb || '; allowed: 0 and more'
    WHEN NOT (NEW.grace_s >= 0 AND NEW.grace_s <= 3600) THEN 'bad_input: grace_s is ' || NEW.grace_s || '; allowed: 0 to 3600'
    WHEN NOT (NEW.retry_base_s >= 0 AND NEW.retry_base_s <= 3600)
      THEN 'bad_input: retry_base_s is ' || NEW.retry_base_s || '; allowed: 0 to 3600'
    WHEN NOT (NEW.park_after_s >= 0 AND NEW.park_after_s <= 604800)
      THEN 'bad_input: park_after_s is ' || NEW.park_after_s || '; allowed: 0 to 604800'
    WHEN NEW.max_depth NOT BETWEEN 0 AND 5 THEN 'bad_input: max_depth is ' || NEW.max_depth || '; allowed: 0 to 5'
    WHEN NEW.max_jobs NOT BETWEEN 1 AND 10000000 THEN 'bad_input: max_jobs is ' || NEW.max_jobs || '; allowed: 1 to 10000000'
    WHEN NEW.max_children NOT BETWEEN 1 AND 100000
      THEN 'bad_input: max_children is ' || NEW.max_children || '; allowed: 1 to 100000'
    WHEN NEW.max_workers NOT BETWEEN 1 AND NEW.max_workers_ceiling
      THEN 'bad_input: max_workers is ' || NEW.max_workers || '; allowed: 1 to ' || NEW.max_workers_ceiling
    WHEN NEW.max_attempts NOT BETWEEN 1 AND 100 THEN 'bad_input: max_attempts is ' || NEW.max_attempts || '; allowed: 1 to 100'
    WHEN NEW.permission_mode NOT IN ('acceptEdits', 'default', 'plan', 'dontAsk')
      THEN 'bad_input: permission_mode is ' || quote(NEW.permission_mode)
        || '; allowed for the whole store: acceptEdits, default, plan, dontAsk'
    WHEN NOT json_valid(NEW.allowed_tools) OR json_type(NEW.allowed_tools) IS NOT 'array'
      OR EXISTS (SELECT 1 FROM json_each(NEW.allowed_tools) WHERE type IS NOT 'text' OR trim(value) IS '')
      THEN 'bad_input: allowed_tools is a JSON array of permission rules, such as Read or Bash(git log:*)'
    WHEN NEW.usage_limit_policy NOT IN ('resume', 'ask') AND NEW.usage_limit_policy IS NOT 'stay'
      THEN 'bad_input: usage_limit_policy is ' || quote(substr(NEW.usage_limit_policy, 1, 40)) || '; allowed: resume, ask, stay'
    WHEN NOT (NEW.idle_timeout_s >= 0 AND NEW.idle_timeout_s <= 604800)
      THEN 'bad_input: idle_timeout_s is ' || NEW.idle_timeout_s || '; allowed: 0 (never) to 604800'
    WHEN NOT (NEW.output_cap_mb > 0 AND NEW.output_cap_mb <= 1000000)
      THEN 'bad_input: output_cap_mb is ' || NEW.output_cap_mb || '; allowed: above 0, up to 1000000'
    WHEN NEW.workspace NOT IN ('auto', 'shared') AND NEW.workspace IS NOT 'worktree'
      THEN 'bad_input: workspace is ' || quote(substr(NEW.workspace, 1, 40)) || '; allowed: auto, shared, worktree'
    WHEN length(NEW.workspace_setup) > 4000 THEN 'bad_input: workspace_setup is one shell line of at most 4000 characters'
    WHEN NEW.git_hooks NOT IN ('on', 'off') THEN 'bad_input: git_hooks is ' || quote(substr(NEW.git_hooks, 1, 40)) || '; allowed: on, off'
    WHEN NEW.git_signing NOT IN ('on', 'off')
      THEN 'bad_input: git_signing is ' || quote(substr(NEW.git_signing, 1, 40)) || '; allowed: on, off'
    WHEN NEW.max_worktrees NOT BETWEEN 1 AND 100000
      THEN 'bad_input: max_worktrees is ' || NEW.max_worktrees || '; allowed: 1 to 100000'
    WHEN NOT (NEW.worktrees_mb >= 0 AND NEW.worktrees_mb <= 1000000000)
      THEN 'bad_input: worktrees_mb is ' || NEW.worktrees_mb || '; allowed: 0 (any) and more'
    WHEN NOT json_valid(NEW.timeouts_s) OR json_type(NEW.timeouts_s) IS NOT 'array' OR json_array_length(NEW.timeouts_s) = 0
      OR EXISTS (SELECT 1 FROM json_each(NEW.timeouts_s) WHERE type NOT IN ('integer', 'real') OR NOT (value > 0 AND value <= 604800))
      THEN 'bad_input: timeouts_s is a JSON array of seconds, each above 0, up to 604800'
  END AS refusal)
  WHERE refusal IS NOT NULL;
END;

---------------------------------------------------------------------------------------------------------------- attempts
-- Marked, both: an attempt is written by the supervisor that starts it and by its own worker.
CREATE TRIGGER attempts_guard_insert BEFORE INSERT ON attempts BEGIN
  SELECT attempts_are_written_by_their_workers();
  SELECT RAISE(ABORT, 'illegal: an attempt is made when its job starts, once')
  WHERE EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.job_id AND number = NEW.number)
     OR NEW.number IS NOT (SELECT attempt FROM jobs WHERE id = NEW.job_id AND status = 'running');
END;
CREATE TRIGGER attempts_guard_update BEFORE UPDATE ON attempts BEGIN
  SELECT attempts_are_written_by_their_workers();
  SELECT RAISE(ABORT, 'illegal: an attempt keeps its number and claim, and never changes after its end')
  WHERE NEW.job_id IS NOT OLD.job_id OR NEW.number IS NOT OLD.number OR NEW.token_sha256 IS NOT OLD.token_sha256
     OR (OLD.claimed_ms IS NOT NULL AND NEW.claimed_ms IS NOT OLD.claimed_ms) OR OLD.ended_ms IS NOT NULL;
END;
CREATE TRIGGER attempts_guard_delete BEFORE DELETE ON attempts BEGIN
  SELECT RAISE(ABORT, 'illegal: attempts are never deleted');
END;

-------------------------------------------------------------------------------------------------------------- workspaces
-- Marked, both: what a parent merges hangs on them.
CREATE TRIGGER workspaces_guard_insert BEFORE INSERT ON workspaces BEGIN
  SELECT attempts_are_written_by_their_workers();
  SELECT RAISE(ABORT, 'illegal: a job has one workspace') WHERE EXISTS (SELECT 1 FROM workspaces WHERE job_id = NEW.job_id)
     OR NOT EXISTS (SELECT 1 FROM jobs WHERE id = NEW.job_id);
END;
CREATE TRIGGER workspaces_guard_update BEFORE UPDATE ON workspaces BEGIN
  SELECT attempts_are_written_by_their_workers();
  SELECT RAISE(ABORT, 'illegal: a workspace keeps its job and its branch')
  WHERE NEW.job_id IS NOT OLD.job_id OR NEW.branch IS NOT OLD.branch
     OR (OLD.start_commit IS NOT NULL AND NEW.start_commit IS NOT OLD.start_commit);
  SELECT RAISE(ABORT, 'bad_input: merges and conflicts of a workspace are JSON arrays')
  WHERE NOT json_valid(NEW.merges) OR NOT json_valid(NEW.conflicts);
END;
CREATE TRIGGER workspaces_guard_delete BEFORE DELETE ON workspaces BEGIN
  SELECT RAISE(ABORT, 'illegal: workspaces are never deleted');
END;

-------------------------------------------------------------------------------------------------------------------- asks
CREATE TRIGGER asks_guard_insert BEFORE INSERT ON asks BEGIN
  SELECT RAISE(ABORT, 'illegal: an ask is made by the running attempt of a job, without an answer')
  WHERE EXISTS (SELECT 1 FROM asks WHERE id = NEW.id) OR NEW.answer IS NOT NULL OR NEW.text IS NOT NULL
     OR NEW.answered_ms IS NOT NULL OR NEW.used_ms IS NOT NULL OR NEW.rule_id IS NOT NULL
     OR NEW.attempt IS NOT (SELECT attempt FROM jobs WHERE id = NEW.job_id AND status = 'running');
  SELECT RAISE(ABORT, 'bad_input: an ask has kind permission or question, a JSON object as input, and JSON arrays of texts as options and suggestions')
  WHERE NEW.kind NOT IN ('permission', 'question') OR NOT json_valid(NEW.options) OR NOT json_valid(NEW.suggestions)
     OR (NEW.input IS NOT NULL AND NOT json_valid(NEW.input));
  SELECT RAISE(ABORT, 'bad_input: an ask has kind permission or question, a JSON object as input, and JSON arrays of texts as options and suggestions')
  WHERE json_type(NEW.options) IS NOT 'array' OR EXISTS (SELECT 1 FROM json_each(NEW.options) WHERE type IS NOT 'text')
     OR json_type(NEW.suggestions) IS NOT 'array' OR EXISTS (SELECT 1 FROM json_each(NEW.suggestions) WHERE type IS NOT 'text')
     OR (NEW.input IS NOT NULL AND json_type(NEW.input) IS NOT 'object');
END;
CREATE TRIGGER asks_guard_update BEFORE UPDATE ON asks BEGIN
  SELECT RAISE(ABORT, 'illegal: an ask never changes, and is answered once: allow, deny, answered or void')
  WHERE NEW.id IS NOT OLD.id OR NEW.job_id IS NOT OLD.job_id OR NEW.attempt IS NOT OLD.attempt OR NEW.kind IS NOT OLD.kind
     OR NEW.tool IS NOT OLD.tool OR NEW.input IS NOT OLD.input OR NEW.question IS NOT OLD.question
     OR NEW.options IS NOT OLD.options OR NEW.created_ms IS NOT OLD.created_ms
     OR NEW.title IS NOT OLD.title OR NEW.suggestions IS NOT OLD.suggestions
     OR (OLD.answer IS NOT NULL AND (NEW.answer IS NOT OLD.answer OR NEW.text IS NOT OLD.text
       OR NEW.answered_ms IS NOT OLD.answered_ms OR NEW.rule_id IS NOT OLD.rule_id))
     OR (OLD.used_ms IS NOT NULL AND NEW.used_ms IS NOT OLD.used_ms)
     OR (NEW.answer IS NOT NULL AND NEW.answer NOT IN ('allow', 'deny', 'answered', 'void'));
  -- Marked by way of its time, since a job that ends voids its asks whoever ends it.
  SELECT RAISE(ABORT, 'illegal: an ask is answered by a person: orch answer ID allow|deny|TEXT; only the end of its job voids it')
  WHERE OLD.answer IS NULL AND NEW.answer IS NOT NULL AND NEW.answered_ms IS NULL AND NOT (NEW.answer = 'void'
    AND EXISTS (SELECT 1 FROM jobs WHERE id = OLD.job_id AND status IN ('completed', 'partial', 'failed', 'cancelled')));
END;
CREATE TRIGGER asks_guard_marked BEFORE UPDATE OF text, answered_ms, used_ms, rule_id ON asks BEGIN
  SELECT asks_are_answered_by_the_command_orch_answer();
END;
CREATE TRIGGER asks_guard_delete BEFORE DELETE ON asks BEGIN
  SELECT RAISE(ABORT, 'illegal: asks are never deleted');
END;

------------------------------------------------------------------------------------------------ rules, keys, lends, handed_in
-- Marked, all of them: what opens something, or makes something count as done, is written by the commands alone.
CREATE TRIGGER rules_guard_insert BEFORE INSERT ON rules BEGIN
  SELECT asks_are_answered_by_the_command_orch_answer();
  SELECT RAISE(ABORT, 'illegal: a new rule has an id of its own, and a job') WHERE EXISTS (SELECT 1 FROM rules WHERE id = NEW.id)
     OR NOT EXISTS (SELECT 1 FROM jobs WHERE id = NEW.job_id) OR NEW.removed_ms IS NOT NULL;
  SELECT RAISE(ABORT, 'bad_input: a rule allows or denies, and has 1 to 4000 characters')
  WHERE NEW.verdict NOT IN ('allow', 'deny') OR trim(NEW.rule) IS '' OR length(NEW.rule) > 4000;
END;
CREATE TRIGGER rules_guard_update BEFORE UPDATE ON rules BEGIN
  SELECT asks_are_answered_by_the_command_orch_answer();
  SELECT RAISE(ABORT, 'illegal: a rule never changes; it is removed, once')
  WHERE NEW.id IS NOT OLD.id OR NEW.job_id IS NOT OLD.job_id OR NEW.verdict IS NOT OLD.verdict OR NEW.rule IS NOT OLD.rule
     OR NEW.text IS NOT OLD.text OR NEW.ask_id IS NOT OLD.ask_id OR NEW.created_ms IS NOT OLD.created_ms OR OLD.removed_ms IS NOT NULL;
END;
CREATE TRIGGER rules_guard_delete BEFORE DELETE ON rules BEGIN
  SELECT RAISE(ABORT, 'illegal: rules are never deleted; one is removed by: orch rules --remove N');
END;
CREATE TRIGGER keys_guard_insert BEFORE INSERT ON keys BEGIN
  SELECT keys_are_made_by_the_command_orch_key();
  SELECT RAISE(ABORT, 'illegal: a new key has an id of its own') WHERE EXISTS (SELECT 1 FROM keys WHERE id = NEW.id) OR NEW.revoked_ms IS NOT NULL;
END;
CREATE TRIGGER keys_guard_update BEFORE UPDATE ON keys BEGIN
  SELECT keys_are_made_by_the_command_orch_key();
  SELECT RAISE(ABORT, 'illegal: a key never changes; it is revoked, once')
  WHERE NEW.id IS NOT OLD.id OR NEW.name IS NOT OLD.name OR NEW.sha256 IS NOT OLD.sha256 OR NEW.created_ms IS NOT OLD.created_ms
     OR NEW.expires_ms IS NOT OLD.expires_ms OR OLD.revoked_ms IS NOT NULL;
END;
CREATE TRIGGER keys_guard_delete BEFORE DELETE ON keys BEGIN
  SELECT RAISE(ABORT, 'illegal: keys are never deleted; one is revoked by: orch key revoke N');
END;
CREATE TRIGGER handed_in_guard_insert BEFORE INSERT ON handed_in BEGIN
  SELECT jobs_are_steered_by_the_orch_commands();
  SELECT RAISE(ABORT, 'illegal: this caller has handed in something under this name') WHERE EXISTS (
    SELECT 1 FROM handed_in WHERE caller = NEW.caller AND name = NEW.name);
END;
CREATE TRIGGER handed_in_guard_update BEFORE UPDATE ON handed_in BEGIN SELECT RAISE(ABORT, 'illegal: what was handed in never changes'); END;
CREATE TRIGGER handed_in_guard_delete BEFORE DELETE ON handed_in BEGIN SELECT jobs_are_steered_by_the_orch_commands(); END;
CREATE TRIGGER lends_guard_insert BEFORE INSERT ON lends BEGIN SELECT jobs_are_steered_by_the_orch_commands(); END;
CREATE TRIGGER lends_guard_update BEFORE UPDATE ON lends BEGIN SELECT RAISE(ABORT, 'illegal: who has lent a slot never changes'); END;
CREATE TRIGGER lends_guard_delete BEFORE DELETE ON lends BEGIN SELECT jobs_are_steered_by_the_orch_commands(); END;

----------------------------------------------------------------------------------------------------------------- changes
CREATE TRIGGER changes_guard_update BEFORE UPDATE ON changes BEGIN SELECT RAISE(ABORT, 'illegal: history never changes'); END;
CREATE TRIGGER changes_guard_delete BEFORE DELETE ON changes BEGIN SELECT RAISE(ABORT, 'illegal: history never changes'); END;
CREATE TRIGGER changes_guard_insert BEFORE INSERT ON changes BEGIN
  SELECT RAISE(ABORT, 'illegal: history is written by the store alone')
  WHERE EXISTS (SELECT 1 FROM changes WHERE seq = NEW.seq)
     OR NOT EXISTS (SELECT 1 FROM store WHERE seq = NEW.seq AND busy_job = NEW.job_id);
END;

----------------------------------------------------------------------------------------------------------- status_counts
CREATE TRIGGER status_counts_guard_insert BEFORE INSERT ON status_counts BEGIN
  SELECT RAISE(ABORT, 'illegal: the counts of jobs are computed') WHERE (SELECT busy_job FROM store) IS NULL;
END;
CREATE TRIGGER status_counts_guard_update BEFORE UPDATE ON status_counts BEGIN
  SELECT RAISE(ABORT, 'illegal: the counts of jobs are computed') WHERE (SELECT busy_job FROM store) IS NULL;
END;
CREATE TRIGGER status_counts_guard_delete BEFORE DELETE ON status_counts BEGIN
  SELECT RAISE(ABORT, 'illegal: the counts of jobs are computed');
END;
