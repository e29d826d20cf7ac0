-- The job tree: tables and indexes. Rules are in 0002_guards.sql, bookkeeping in 0003_bookkeeping.sql, views in 0004_views.sql.
--
-- Units: *_ms  milliseconds since 1970-01-01 00:00 UTC   *_s  seconds   *_usd  US dollars
-- JSON columns hold text that json_valid() accepts. Columns marked (computed) are filled by triggers: leave them out of
-- an INSERT. No rule is a CHECK or a UNIQUE: both can be switched off or turned against us (PRAGMA
-- ignore_check_constraints, INSERT OR REPLACE), triggers can not.

PRAGMA application_id = 0x6f726368;  -- "orch"

-- What this store is. One row.
CREATE TABLE store (
  one            INTEGER PRIMARY KEY,            -- always 1
  store_id       TEXT    NOT NULL,               -- random; marks this store's processes
  created_ms     INTEGER NOT NULL,
  seq            INTEGER NOT NULL,               -- (computed) the number of the newest change
  paused_ms      INTEGER,                        -- since when nothing new starts in the whole store; NULL = not paused
  brake_reason   TEXT,                           -- why nothing new starts for a while (usage limit, API down); NULL = no brake
  brake_kind     TEXT,                           -- usage_limit | api: what the brake is for; stop: paused for a reason that only a person can mend
  brake_until_ms INTEGER,                        -- until when
  api_strikes    INTEGER NOT NULL DEFAULT 0,     -- times in a row that the API failed everyone; each doubles the next brake
  crash_strikes  INTEGER NOT NULL DEFAULT 0,     -- workers in a row that were gone as soon as they had started
  busy_job       INTEGER,                        -- (computed) set by triggers while they book a change of this job, NULL between statements
  given_ms       INTEGER                         -- (computed) the time that the statement at work gives itself, NULL between statements
) STRICT;

-- What a person set for the whole store. One row. Changed by `orch settings` alone.
CREATE TABLE settings (
  one                 INTEGER PRIMARY KEY,       -- always 1
  slots               INTEGER NOT NULL,          -- worker processes at once in the whole store
  max_workers_ceiling INTEGER NOT NULL,          -- the highest max_workers that a tree may ask for
  min_free_memory_mb  INTEGER NOT NULL,          -- below this much free memory no further worker starts beside others
  grace_s             REAL    NOT NULL,          -- between asking a worker to end and killing it
  retry_base_s        REAL    NOT NULL,          -- back-off before the second try; doubles with each further one
  max_depth           INTEGER NOT NULL,          -- from here on: the defaults of a new tree's limits, see trees
  max_jobs            INTEGER NOT NULL,
  max_children        INTEGER NOT NULL,
  max_workers         INTEGER NOT NULL,
  max_attempts        INTEGER NOT NULL,
  timeouts_s          TEXT    NOT NULL,
  park_after_s        REAL    NOT NULL,
  permission_mode     TEXT    NOT NULL,
  allowed_tools       TEXT    NOT NULL,
  usage_limit_policy  TEXT    NOT NULL,          -- at a usage limit: resume (go on when it resets), ask (a person), stay (paused)
  idle_timeout_s      REAL    NOT NULL,          -- a worker that says nothing for so long is ended; 0 = never
  output_cap_mb       REAL    NOT NULL,          -- output of one attempt of a command, in MB of 1,000,000 bytes; beyond it is ended
  workspace           TEXT    NOT NULL,          -- of a new tree: worktree, shared, or auto (worktree where the project is a git repository)
  workspace_setup     TEXT    NOT NULL,          -- a shell line to run in each new worktree, before its worker; '' = none
  git_hooks           TEXT    NOT NULL,          -- on | off: whether our own commits and merges run the repository's hooks
  git_signing         TEXT    NOT NULL,          -- on | off: whether they are signed where git is configured so
  max_worktrees       INTEGER NOT NULL,          -- worktrees on disk at once; beyond it no job starts that needs one, beside others
  worktrees_mb        REAL    NOT NULL           -- their size together, in MB of 1,000,000 bytes; 0 = any
) STRICT;

-- A tree is a root job and all below it. The row is made with the root job. Limits are changed by `orch limits` alone.
CREATE TABLE trees (
  root_id         INTEGER PRIMARY KEY,           -- jobs.id of the root
  max_depth       INTEGER NOT NULL,              -- deepest allowed jobs.depth, 0 to 5; 0 = no recursion
  max_jobs        INTEGER NOT NULL,              -- rows of this tree, ended ones included
  max_children    INTEGER NOT NULL,              -- children of one job, ended ones included
  max_workers     INTEGER NOT NULL,              -- worker processes at once
  max_attempts    INTEGER NOT NULL,              -- failed tries of one job before it fails for good
  timeouts_s      TEXT    NOT NULL,              -- JSON array: seconds a job of depth 0, 1, ... may take with all below it; the last entry holds for all deeper ones
  budget_usd      REAL,                          -- dollars of the whole tree; NULL = no budget
  jobs            INTEGER NOT NULL DEFAULT 0,    -- (computed) rows of this tree
  work_dir        TEXT    NOT NULL,              -- absolute path in which its workers run; '' = the store's project folder
  model           TEXT,                          -- Claude Code's --model; NULL = its own default
  permission_mode TEXT    NOT NULL,              -- Claude Code's: acceptEdits, default, plan, dontAsk, bypassPermissions
  allowed_tools   TEXT    NOT NULL DEFAULT '[]', -- JSON array of permission rules that need no asking
  setting_sources TEXT,                          -- JSON array of user, project, local; NULL = all three
  park_after_s    REAL    NOT NULL,              -- an ask that is open for longer suspends its worker
  paused_ms       INTEGER,                       -- since when nothing new of this tree starts; NULL = not paused
  workspace       TEXT    NOT NULL DEFAULT 'shared',  -- shared: all in work_dir; worktree: each job in a git worktree of its own
  repository      TEXT,                          -- worktree: absolute path of the person's checkout
  base_branch     TEXT,                          -- worktree: the branch that the person stood on; NULL = none (detached HEAD)
  base_commit     TEXT,                          -- worktree: the commit at which the root starts
  branch_prefix   TEXT,                          -- worktree: a job's branch is this, a slash and its id
  workspace_setup TEXT                           -- worktree: a shell line to run in each, before its worker; NULL = none
) STRICT;

-- A job: one request, one result.
-- To add a child by hand: INSERT INTO jobs(parent_id, request, kind) VALUES (12, 'wc -l *.py', 'command');
CREATE TABLE jobs (
  id                INTEGER PRIMARY KEY,           -- given by the store
  parent_id         INTEGER REFERENCES jobs(id),   -- NULL = a root job
  root_id           INTEGER,                       -- (computed) the tree
  depth             INTEGER,                       -- (computed) 0 for a root, else the parent's + 1
  batch             INTEGER,                       -- the children of one spawn share it; NULL = inserted by hand
  kind              TEXT    NOT NULL DEFAULT 'claude',  -- claude | command | group
  title             TEXT,                          -- one line, at most 200 characters; the request's first 80 when left out
  request           TEXT    NOT NULL,              -- what to do: a prompt, or a shell line for kind command; at most 262144 bytes
  argv              TEXT,                          -- JSON array, kind command only: run this instead of `sh -c request`
  model             TEXT,                          -- overrides the tree's
  priority          INTEGER NOT NULL DEFAULT 0,    -- higher first, -100 to 100
  budget_usd        REAL,                          -- its share: dollars of this job and all below it; NULL = what is left of the jobs above
  timeout_s         REAL,                          -- overrides the tree's timeout of this depth; the parent's deadline still holds
  status            TEXT    NOT NULL DEFAULT 'queued',  -- queued | running | waiting | completed | partial | failed | cancelled
  reason            TEXT,                          -- why it is so, see store/states.py
  attempt           INTEGER NOT NULL DEFAULT 0,    -- number of the newest attempt; the fence of every write
  tries             INTEGER NOT NULL DEFAULT 0,    -- failed tries since it was queued by a person or its parent
  own_status        TEXT,                          -- how its own work ended (completed | failed) while children are still open
  result            TEXT,                          -- what it found; never changes once the job has ended
  error             TEXT,                          -- what went wrong, one or more lines
  data              TEXT,                          -- JSON beside the result
  denials           TEXT    NOT NULL DEFAULT '[]', -- JSON array: tool calls that a person or a rule refused
  session_id        TEXT,                          -- Claude Code's session, resumed by the next attempt
  waiting_for       TEXT,                          -- children | ask, while it waits
  delivered         INTEGER NOT NULL DEFAULT 0,    -- 1 = the parent has consumed this result
  children          INTEGER NOT NULL DEFAULT 0,    -- (computed)
  open_children     INTEGER NOT NULL DEFAULT 0,    -- (computed) children that have not ended
  open_asks         INTEGER NOT NULL DEFAULT 0,    -- (computed) asks without an answer
  lending           INTEGER NOT NULL DEFAULT 0,    -- how many clients in its worker block; unless 0 its process lives but holds no slot
  wants_slot        INTEGER NOT NULL DEFAULT 0,    -- 1 = it would go on, as soon as it gets a slot again
  stop_reason       TEXT,                          -- why its worker is asked to end
  stop_requested_ms INTEGER,                       -- since when
  not_before_ms     INTEGER,                       -- queued, but not to be started before
  deadline_ms       INTEGER,                       -- it and all below it must have ended by then
  created_ms        INTEGER,                       -- (computed when left out)
  changed_ms        INTEGER,                       -- (computed when left out) last change of status
  started_ms        INTEGER,                       -- start of the first attempt; its timeout counts from here
  ended_ms          INTEGER,                       -- (computed when left out)
  activity          TEXT,                          -- last line of what its worker does
  activity_ms       INTEGER,
  cost_usd          REAL    NOT NULL DEFAULT 0,    -- (computed) its own attempts
  subtree_cost_usd  REAL    NOT NULL DEFAULT 0,    -- (computed) with all below it
  tokens            INTEGER NOT NULL DEFAULT 0,    -- (computed) its own attempts, input and output
  subtree_tokens    INTEGER NOT NULL DEFAULT 0,    -- (computed)
  seq               INTEGER NOT NULL DEFAULT 0     -- (computed) rises with every change of this row
) STRICT;

CREATE INDEX jobs_by_parent  ON jobs(parent_id);
CREATE INDEX jobs_open       ON jobs(parent_id) WHERE status IN ('queued', 'running') OR status = 'waiting';
CREATE INDEX jobs_by_root    ON jobs(root_id, status);
CREATE INDEX jobs_by_seq     ON jobs(seq);
CREATE INDEX jobs_queued     ON jobs(root_id, priority DESC, depth DESC, id) WHERE status = 'queued';
CREATE INDEX jobs_not_before ON jobs(not_before_ms) WHERE status = 'queued' AND not_before_ms IS NOT NULL;
CREATE INDEX jobs_running    ON jobs(root_id) WHERE status = 'running';
CREATE INDEX jobs_deadline   ON jobs(deadline_ms) WHERE deadline_ms IS NOT NULL AND ended_ms IS NULL;
CREATE INDEX jobs_children_done ON jobs(id) WHERE status = 'waiting' AND waiting_for = 'children' AND open_children = 0;
CREATE INDEX jobs_answered      ON jobs(id) WHERE status = 'waiting' AND waiting_for = 'ask' AND open_asks = 0;
-- For reading: `orch list` shows roots, newest first.
CREATE INDEX jobs_roots ON jobs(id) WHERE parent_id IS NULL;
-- The next job that failed, whatever the number of jobs.
CREATE INDEX jobs_failed ON jobs(id) WHERE status IN ('failed', 'partial');

-- An attempt: one process that works on a job. Rows are never changed once ended_ms is set.
CREATE TABLE attempts (
  job_id             INTEGER NOT NULL REFERENCES jobs(id),
  number             INTEGER NOT NULL,            -- 1, 2, ... per job
  token_sha256       TEXT    NOT NULL,            -- hash of the secret by which this attempt names itself
  started_ms         INTEGER NOT NULL,            -- the supervisor decided to start it
  claimed_ms         INTEGER,                     -- its process took the lock and this attempt
  ended_ms           INTEGER,
  pid                INTEGER,                     -- for people; liveness is the lock file, never the pid
  outcome            TEXT,                        -- completed | failed | cancelled | suspended | released | lost
  reason             TEXT,
  error              TEXT,
  exit_code          INTEGER,                     -- kind command; negative = ended by that signal
  session_id         TEXT,
  ceiling_usd        REAL,                        -- dollars set aside for it while it runs; NULL = no budget holds for it
  cost_usd           REAL    NOT NULL DEFAULT 0,  -- of this attempt alone
  input_tokens       INTEGER NOT NULL DEFAULT 0,
  output_tokens      INTEGER NOT NULL DEFAULT 0,
  cache_read_tokens  INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  turns              INTEGER NOT NULL DEFAULT 0,
  session_cost_usd   REAL,                        -- the session's running total when this attempt ended
  PRIMARY KEY (job_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_open     ON attempts(job_id, number) WHERE ended_ms IS NULL;
CREATE INDEX attempts_by_token ON attempts(token_sha256);

-- What git has for a job of a tree with worktrees. Notes of what is true in git, which can be made again from it.
CREATE TABLE workspaces (
  job_id        INTEGER PRIMARY KEY REFERENCES jobs(id),
  branch        TEXT    NOT NULL,
  start_commit  TEXT,                             -- where the branch began; NULL until it is there
  head_commit   TEXT,                             -- the newest commit of an ended attempt; NULL = none has ended
  merged_commit TEXT,                             -- what of it has been merged upwards: into the parent's branch, a root's into the person's
  merges        TEXT    NOT NULL DEFAULT '[]',    -- JSON array: jobs beside its children whose branches it merges, because they conflict
  conflict_with INTEGER,                          -- the job whose branch is being merged and conflicts; NULL = none
  conflicts     TEXT    NOT NULL DEFAULT '[]',    -- JSON array: the files that its worker is to resolve
  files         INTEGER NOT NULL DEFAULT 0,       -- changed between start_commit and head_commit
  insertions    INTEGER NOT NULL DEFAULT 0,       -- lines
  deletions     INTEGER NOT NULL DEFAULT 0,       -- lines
  size_bytes    INTEGER NOT NULL DEFAULT 0,       -- of its folder
  made_ms       INTEGER,                          -- since when its worktree has been on disk; NULL = not yet
  removed_ms    INTEGER,                          -- since when its worktree is gone; the branch stays
  deleted_ms    INTEGER                           -- since when its branch is gone, too
) STRICT;

CREATE INDEX workspaces_on_disk ON workspaces(size_bytes) WHERE made_ms IS NOT NULL AND removed_ms IS NULL;

-- An ask: a permission request or a question of a worker. It stays until a person answers it, once.
CREATE TABLE asks (
  id          INTEGER PRIMARY KEY,
  job_id      INTEGER NOT NULL REFERENCES jobs(id),
  attempt     INTEGER NOT NULL,
  kind        TEXT    NOT NULL,                   -- permission | question
  tool        TEXT,                               -- permission: the tool's name
  input       TEXT,                               -- permission: its input, JSON object
  question    TEXT    NOT NULL,
  options     TEXT    NOT NULL DEFAULT '[]',      -- JSON array of offered answers
  title       TEXT,                               -- permission: what the call does, in Claude Code's own words
  suggestions TEXT    NOT NULL DEFAULT '[]',      -- permission: JSON array of the rules that Claude Code would keep, such as Bash(pytest:*)
  created_ms  INTEGER NOT NULL,
  answer      TEXT,                               -- allow | deny | answered | void (its job ended); NULL = open
  text        TEXT,                               -- what the person wrote
  rule_id     INTEGER,                            -- the rule that answered it, or that its answer made; NULL = this call alone
  answered_ms INTEGER,                            -- NULL for void
  used_ms     INTEGER                             -- when the worker acted on the answer
) STRICT;

CREATE INDEX asks_by_job ON asks(job_id);
CREATE INDEX asks_open   ON asks(id) WHERE answer IS NULL;

-- A rule: what a person has allowed or denied a job and all below it, once and for all. See them with: orch rules
CREATE TABLE rules (
  id         INTEGER PRIMARY KEY,
  job_id     INTEGER NOT NULL REFERENCES jobs(id),  -- the top of the subtree that it holds for; a root: its whole tree
  verdict    TEXT    NOT NULL,                    -- allow | deny; a deny goes before any allow
  rule       TEXT    NOT NULL,                    -- as Claude Code writes it: Tool, Tool(content), Bash(prefix:*)
  text       TEXT,                                -- what the person wrote; a denied worker is told it
  ask_id     INTEGER,                             -- the ask that it came from
  created_ms INTEGER NOT NULL,
  removed_ms INTEGER                              -- since when it holds no longer
) STRICT;

CREATE INDEX rules_by_job ON rules(job_id) WHERE removed_ms IS NULL;

-- A key to the REST API, for a person or a program. Jobs have no key: their attempts' tokens are theirs.
CREATE TABLE keys (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,                    -- for people: who uses it
  sha256     TEXT    NOT NULL,                    -- hash of the key; the key itself is shown once and kept nowhere
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER,                             -- NULL = never
  revoked_ms INTEGER                              -- since when it opens nothing
) STRICT;

CREATE INDEX keys_by_hash ON keys(sha256);

-- What a caller has handed in over REST under a name of its own, so that trying again makes nothing twice.
CREATE TABLE handed_in (
  caller         TEXT    NOT NULL,                -- key:ID or job:ID
  name           TEXT    NOT NULL,                -- its Idempotency-Key
  request_sha256 TEXT    NOT NULL,                -- hash of what was asked for: another request under the same name is refused
  job_id         INTEGER NOT NULL,                -- the root that it made, or the parent of the batch
  batch          INTEGER,                         -- NULL = a tree
  created_ms     INTEGER NOT NULL,
  PRIMARY KEY (caller, name)
) STRICT, WITHOUT ROWID;

-- Which named clients have lent the slot of an attempt: saying it twice, after a lost answer, counts once.
CREATE TABLE lends (
  job_id  INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  PRIMARY KEY (job_id, attempt, name)
) STRICT, WITHOUT ROWID;

-- The history: one line for each change of a job's state.
CREATE TABLE changes (
  seq     INTEGER PRIMARY KEY,                    -- (computed) the same numbers as jobs.seq
  job_id  INTEGER NOT NULL,
  at_ms   INTEGER NOT NULL,
  status  TEXT    NOT NULL,
  reason  TEXT,
  attempt INTEGER NOT NULL
) STRICT;

CREATE INDEX changes_by_job ON changes(job_id, seq);

-- How many jobs of a tree are in each state; root_id 0 = the whole store.
CREATE TABLE status_counts (
  root_id INTEGER NOT NULL,
  status  TEXT    NOT NULL,
  jobs    INTEGER NOT NULL,
  PRIMARY KEY (root_id, status)
) STRICT, WITHOUT ROWID;

INSERT INTO store(one, store_id, created_ms, seq)
VALUES (1, lower(hex(randomblob(8))), CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 0);

INSERT INTO settings(one, slots, max_workers_ceiling, min_free_memory_mb, grace_s, retry_base_s, max_depth, max_jobs,
                     max_children, max_workers, max_attempts, timeouts_s, park_after_s, permission_mode, allowed_tools,
                     usage_limit_policy, idle_timeout_s, output_cap_mb, workspace, workspace_setup, git_hooks, git_signing,
                     max_worktrees, worktrees_mb)
VALUES (1, 10, 10, 512, 10.0, 2.0, 3, 200, 20, 5, 2, '[3600,1200,600,300]', 300.0, 'acceptEdits', '[]', 'resume', 0.0, 1000.0, 'auto', '', 'off', 'off',
        1000, 0.0);
