"""No writer gets past the rules: each attack is refused with a reason, and leaves not one row changed."""

from collections.abc import Iterator

import pytest
from attacks import FIFTY, WAYS, Attack, Target, attack

from store.home import Home

NO_MARK = "no such function: "
STEERED = NO_MARK + "jobs_are_steered_by_the_orch_commands"
TOTALS = "are computed"


@pytest.fixture(scope="module")
def target(built: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """What is attacked; every test leaves it as it was."""
    with Target(built, tmp_path_factory.mktemp("targets")) as target:
        yield target


INSERTS = [
    attack(
        "one level too deep",
        "max_depth: job #5 is at depth 2 and max_depth of tree #1 is 2; do the work in this job, or a person raises it: orch limits 1 --max-depth 3",
        "INSERT INTO jobs(parent_id, request) VALUES (5, 'x')",
    ),
    attack(
        "one child too many",
        "max_children: job #1 has 3 children and max_children of tree #1 is 3; do the rest in this job, or a person raises it: orch limits 1 --max-children 4",
        "INSERT INTO jobs(parent_id, request) VALUES (1, 'x')",
    ),
    attack(
        "one job too many",
        "max_jobs: tree #1 of job #2 has 6 jobs and its max_jobs is 6; do the rest in this job, or a person raises it: orch limits 1 --max-jobs 7",
        "INSERT INTO jobs(parent_id, request) VALUES (2, 'x'), (2, 'y')",
    ),
    attack(
        "fifty children in one statement",
        "max_children: job #6 has 20 children",
        f"{FIFTY} INSERT INTO jobs(parent_id, request) SELECT 6, 'part ' || i FROM n",
    ),
    attack(
        "fifty children, the failing ones failing alone",
        "max_children: job #6 has 20 children",
        f"{FIFTY} INSERT OR FAIL INTO jobs(parent_id, request) SELECT 6, 'part ' || i FROM n",
    ),
    attack(
        "fifty children, the failing ones ignored",
        "max_children: job #6 has 20 children",
        f"{FIFTY} INSERT OR IGNORE INTO jobs(parent_id, request) SELECT 6, 'part ' || i FROM n",
    ),
    attack("negative depth", "depth and root_id are computed", "INSERT INTO jobs(parent_id, request, depth) VALUES (5, 'x', -5)"),
    attack("right depth", "depth and root_id are computed", "INSERT INTO jobs(parent_id, request, depth) VALUES (2, 'x', 2)"),
    attack("another tree", "depth and root_id are computed", "INSERT INTO jobs(parent_id, request, root_id) VALUES (5, 'x', 6)"),
    attack("NULL depth beyond the limit", "max_depth: job #5", "INSERT INTO jobs(parent_id, request, depth) VALUES (5, 'x', NULL)"),
    attack("parent replaced", "job #1 exists", "INSERT OR REPLACE INTO jobs(id, request) VALUES (1, 'x')"),
    attack("parent replaced by its rowid", "job #2 exists", "REPLACE INTO jobs(rowid, request) VALUES ('2', 'x')"),
    attack("parent ignored", "job #1 exists", "INSERT OR IGNORE INTO jobs(_rowid_, request) VALUES (1.0, 'x')"),
    attack(
        "upsert",
        "job #3 exists",
        "INSERT INTO jobs(id, request) VALUES (3, 'x') ON CONFLICT(id) DO UPDATE SET status = 'queued', result = 'forged'",
    ),
    attack("upsert that does nothing", "job #3 exists", "INSERT INTO jobs(id, request) VALUES (3, 'x') ON CONFLICT DO NOTHING"),
    attack("huge id", "the store gives the ids", "INSERT INTO jobs(id, request) VALUES (9223372036854775807, 'x')"),
    attack("id that leaves a gap", "the store gives the ids", "INSERT INTO jobs(oid, request) VALUES (99, 'x')"),
    attack("negative id", "the store gives the ids", "INSERT INTO jobs(id, request) VALUES (-1, 'x')"),
    attack("id 0", "the store gives the ids", "INSERT INTO jobs(id, request) VALUES (0, 'x')"),
    attack("its own parent", "there is no job #11 to be the parent", "INSERT INTO jobs(id, parent_id, request) VALUES (11, 11, 'x')"),
    attack("no parent there", "there is no job #77 to be the parent", "INSERT INTO jobs(parent_id, request) VALUES (77, 'x')"),
    attack("parent as a BLOB", "cannot store BLOB value in INTEGER column jobs.parent_id", "INSERT INTO jobs(parent_id, request) VALUES (x'31', 'x')"),
    attack("parent that is half a number", "cannot store REAL value in INTEGER column jobs.parent_id", "INSERT INTO jobs(parent_id, request) VALUES (2.5, 'x')"),
    attack("child of an ended job", "job #3 is completed; only a job that is running or waiting takes children", "INSERT INTO jobs(parent_id, request) VALUES (3, 'x')"),
    attack("child of a failed job", "job #7 is failed", "INSERT INTO jobs(parent_id, request) VALUES (7, 'x')"),
    attack("child of a queued job", "job #4 is queued", "INSERT INTO jobs(parent_id, request) VALUES (4, 'x')"),
    attack("an ancestor's request", "repeats: this request is the same as that of job #2 or of one above it", "INSERT INTO jobs(parent_id, request) VALUES (2, 'the whole thing')"),
    attack("an ancestor's request in more space", "repeats: ", "INSERT INTO jobs(parent_id, request) VALUES (2, char(10) || ' the whole thing ')"),
    attack("born completed", "a new job is queued and empty", "INSERT INTO jobs(parent_id, request, status, result) VALUES (2, 'x', 'completed', 'forged')"),
    attack("born running", "a new job is queued and empty", "INSERT INTO jobs(parent_id, request, status, attempt) VALUES (2, 'x', 'running', 1)"),
    attack("born with more tries", "a new job is queued and empty", "INSERT INTO jobs(parent_id, request, tries) VALUES (2, 'x', -1000)"),
    attack("born with its end decided", "a new job is queued and empty", "INSERT INTO jobs(parent_id, request, own_status) VALUES (2, 'x', 'completed')"),
    attack("born in another's session", "a new job is queued and empty", "INSERT INTO jobs(parent_id, request, session_id) VALUES (2, 'x', 'session-1')"),
    attack("born without a deadline to come", "a new job is queued and empty", "INSERT INTO jobs(parent_id, request, started_ms, deadline_ms) VALUES (2, 'x', 1, 9e15)"),
    attack("born with tokens", "a new job is queued and empty", "INSERT INTO jobs(parent_id, request, tokens) VALUES (2, 'x', -9)"),
    attack("born in the past of time", "created_ms is ", "INSERT INTO jobs(parent_id, request, created_ms) VALUES (2, 'x', 9000000000000000000)"),
    attack("batch that ends all batches", "batch is 9223372036854775807", "INSERT INTO jobs(parent_id, request, batch) VALUES (2, 'x', 9223372036854775807)"),
    attack("unknown kind", "kind is 'shell'", "INSERT INTO jobs(parent_id, request, kind) VALUES (2, 'x', 'shell')"),
    attack("empty request", "the request is empty", "INSERT INTO jobs(parent_id, request) VALUES (2, ' ' || char(12288, 10))"),
    attack("request too long", "the request has 262145 bytes; allowed: 262144", "INSERT INTO jobs(parent_id, request) VALUES (2, printf('%0262145d', 0))"),
    attack("request as a BLOB", "cannot store BLOB value in TEXT column jobs.request", "INSERT INTO jobs(parent_id, request) VALUES (2, x'41')"),
    attack("NUL in the request", "the request holds a NUL byte", "INSERT INTO jobs(parent_id, request) VALUES (2, 'a' || char(0) || 'b')"),
    attack("argv that is no JSON", "argv is a JSON array", "INSERT INTO jobs(parent_id, request, kind, argv) VALUES (2, 'x', 'command', '[\"a\"')"),
    attack("argv that is no array", "argv is a JSON array", "INSERT INTO jobs(parent_id, request, kind, argv) VALUES (2, 'x', 'command', '\"ls\"')"),
    attack("argv with a number", "argv is a JSON array", "INSERT INTO jobs(parent_id, request, kind, argv) VALUES (2, 'x', 'command', '[\"ls\", 5]')"),
    attack("argv of nothing", "argv is a JSON array", "INSERT INTO jobs(parent_id, request, kind, argv) VALUES (2, 'x', 'command', '[]')"),
    attack("argv with a NUL", "without NUL", "INSERT INTO jobs(parent_id, request, kind, argv) VALUES (2, 'x', 'command', '[\"a\\u0000\"]')"),
    attack("argv for Claude", "for kind command alone", "INSERT INTO jobs(parent_id, request, argv) VALUES (2, 'x', '[\"ls\"]')"),
    attack("priority above all", "priority is 101", "INSERT INTO jobs(parent_id, request, priority) VALUES (2, 'x', 101)"),
    attack("timeout without an end", "timeout_s is Inf", "INSERT INTO jobs(parent_id, request, timeout_s) VALUES (2, 'x', 9e999)"),
]  # fmt: skip

UPDATES = [
    attack("rowid of another", "never change", "UPDATE OR REPLACE jobs SET rowid = 1 WHERE id = 4"),
    attack("_rowid_ of another", "never change", "UPDATE OR REPLACE jobs SET _rowid_ = 3 WHERE id = 4"),
    attack("oid of another", "never change", "UPDATE OR REPLACE jobs SET oid = 6 WHERE id = 8"),
    attack("a new id", "never change", "UPDATE jobs SET id = 50 WHERE id = 4"),
    attack("NULL as id", "mismatch", "UPDATE OR REPLACE jobs SET id = NULL WHERE id = 4"),
    attack("another parent", "never change", "UPDATE jobs SET parent_id = 6 WHERE id = 4"),
    attack("no parent", "never change", "UPDATE jobs SET parent_id = NULL WHERE id = 5"),
    attack("a higher place", "depth, tree, title", "UPDATE jobs SET depth = 0 WHERE id = 5"),
    attack("NULL as depth", "depth, tree, title", "UPDATE jobs SET depth = NULL WHERE id = 5"),
    attack("another tree's limits", "depth, tree, title", "UPDATE jobs SET root_id = 6 WHERE id = 5"),
    attack("another request", "never change", "UPDATE jobs SET request = 'rm -r /' WHERE id = 4"),
    attack("another title", "depth, tree, title", "UPDATE jobs SET title = char(27) WHERE id = 4"),
    attack("a finished result", "job #3 has ended (completed); its result never changes", "UPDATE jobs SET result = 'forged' WHERE id = 3"),
    attack("a finished result removed", "its result never changes", "UPDATE jobs SET result = NULL WHERE id = 3"),
    attack("a finished error", "its result never changes", "UPDATE jobs SET error = 'forged' WHERE id = 7"),
    attack("a finished reason", "its result never changes", "UPDATE jobs SET reason = NULL WHERE id = 7"),
    attack("the time of an end", "its result never changes", "UPDATE jobs SET ended_ms = 5 WHERE id = 3"),
    attack("an end that has not come", "job #4 is queued, so it has no time of its end", "UPDATE jobs SET ended_ms = 5 WHERE id = 4"),
    attack("completed runs again", "job #3 is completed and can not become queued", "UPDATE jobs SET status = 'queued' WHERE id = 3"),
    attack("completed by NULL to the default", "can not become NULL", "UPDATE OR REPLACE jobs SET status = NULL WHERE id = 3"),
    attack("queued to completed", "job #4 is queued and can not become completed", "UPDATE jobs SET status = 'completed' WHERE id = 4"),
    attack("a state that is none", "can not become done", "UPDATE jobs SET status = 'done' WHERE id = 4"),
    attack("a state as a BLOB", "cannot store BLOB", "UPDATE OR IGNORE jobs SET status = CAST('cancelled' AS BLOB) WHERE id = 4"),
    attack("ended before its children", "job #6 has children that have not ended, so it can not become failed; a whole subtree is ended by: orch cancel 6", "UPDATE jobs SET status = 'failed' WHERE id = 6"),
    attack("ended beside its worker", "attempt 1 of job #5 has not ended; its worker is stopped by: orch cancel 5", "UPDATE jobs SET status = 'completed' WHERE id = 5"),
    attack("queued beside its worker", "attempt 1 of job #5 has not ended", "UPDATE jobs SET status = 'queued' WHERE id = 5"),
    attack("waiting for nothing", "can not become waiting", "UPDATE jobs SET status = 'waiting' WHERE id = 3"),
    attack("a leaf that waits", "would wait for nothing", "UPDATE jobs SET status = 'waiting' WHERE id = 4"),
    attack("opened again by hand", "job #9 has ended (cancelled); it is opened again by: orch retry 9", "UPDATE jobs SET status = 'queued' WHERE id = 9"),
    attack("opened again without its time", "it is opened again by: orch retry 7", "UPDATE jobs SET status = 'queued', ended_ms = NULL WHERE id = 7"),
    attack("started by hand", "it rises by one when the job starts", "UPDATE jobs SET status = 'running' WHERE id = 4"),
    attack("started by hand with its attempt", STEERED, "UPDATE jobs SET status = 'running', attempt = attempt + 1 WHERE id = 4"),
    attack("a slot lent by the way", STEERED, "UPDATE jobs SET lending = 1 WHERE id = 5"),
    attack("a slot taken back", STEERED, "UPDATE jobs SET lending = 0 WHERE id = 10"),
    attack("tries given back", STEERED, "UPDATE jobs SET tries = -5 WHERE id = 4"),
    attack("a deadline lifted", STEERED, "UPDATE jobs SET deadline_ms = NULL WHERE id = 5"),
    attack("a start moved", STEERED, "UPDATE jobs SET started_ms = 9000000000000 WHERE id = 5"),
    attack("a stop taken back", STEERED, "UPDATE jobs SET stop_reason = NULL WHERE id = 5"),
    attack("a stop of a queued job, which nobody would see", STEERED, "UPDATE jobs SET stop_reason = 'x' WHERE id = 4"),
    attack("another's session", STEERED, "UPDATE jobs SET session_id = 'session-1' WHERE id = 4"),
    attack("denials forgotten", STEERED, "UPDATE jobs SET denials = '[]' WHERE id = 5"),
    attack("data that is no JSON", "data of job #5 is JSON", "UPDATE jobs SET data = '{' WHERE id = 5"),
    attack("a time out of all calendars", "times are milliseconds since 1970", "UPDATE jobs SET activity_ms = 9000000000000000000 WHERE id = 5"),
    attack("a change at no time, ignored where it fails", "times are milliseconds", "UPDATE OR IGNORE jobs SET status = 'cancelled', changed_ms = NULL WHERE id = 4"),
    attack("priority above all", "priority is 1000", "UPDATE jobs SET priority = 1000 WHERE id = 4"),
    attack("fewer children", TOTALS, "UPDATE jobs SET children = 0 WHERE id = 1"),
    attack("fewer children by NULL", TOTALS, "UPDATE OR REPLACE jobs SET children = NULL WHERE id = 1"),
    attack("one child more", TOTALS, "UPDATE jobs SET children = children + 1 WHERE id = 6"),
    attack("no open children", TOTALS, "UPDATE jobs SET open_children = 0 WHERE id = 6"),
    attack("no open asks", TOTALS, "UPDATE jobs SET open_asks = 0 WHERE id = 2"),
    attack("no cost", TOTALS, "UPDATE jobs SET cost_usd = 0 WHERE id = 3"),
    attack("no cost of the tree", TOTALS, "UPDATE jobs SET subtree_cost_usd = -1e9 WHERE id = 1"),
    attack("no tokens", TOTALS, "UPDATE jobs SET tokens = 0, subtree_tokens = 0 WHERE id = 3"),
    attack("a change that the feed does not show", TOTALS[4:], "UPDATE jobs SET activity = 'unseen', seq = seq - 1 WHERE id = 5"),
    attack("a change under a seq that others have", TOTALS[4:], "UPDATE jobs SET activity = 'unseen', seq = (SELECT max(seq) FROM jobs) WHERE id = 5"),
    attack("a seq by NULL", TOTALS[4:], "UPDATE OR REPLACE jobs SET seq = NULL WHERE id = 5"),
    attack("deleted", "jobs are never deleted", "DELETE FROM jobs WHERE id = 4"),
    attack("all deleted", "jobs are never deleted", "DELETE FROM jobs"),
]  # fmt: skip

OTHER_TABLES = [
    attack("limits raised", NO_MARK + "limits_are_changed_by_the_command_orch_limits", "UPDATE trees SET max_depth = 5"),
    attack("budget lifted", NO_MARK + "limits_are_changed", "UPDATE OR REPLACE trees SET budget_usd = NULL WHERE root_id = 1"),
    attack("limits replaced", "a tree is made with its root job, once", "INSERT OR REPLACE INTO trees(root_id, max_depth, max_jobs, max_children, max_workers, max_attempts, timeouts_s, work_dir, permission_mode, park_after_s) VALUES (1, 5, 9999, 99, 9, 9, '[1]', '', 'plan', 1)"),
    attack("a tree for a child", "a tree is made with its root job, once", "INSERT INTO trees SELECT 2, max_depth, max_jobs, max_children, max_workers, max_attempts, timeouts_s, budget_usd, 0, work_dir, model, permission_mode, allowed_tools, setting_sources, park_after_s, paused_ms, workspace, repository, base_branch, base_commit, branch_prefix, workspace_setup, needs FROM trees WHERE root_id = 1"),
    attack("limits by another tree's row", "never changes", "UPDATE OR REPLACE trees SET root_id = 1 WHERE root_id = 6"),
    attack("limits by another tree's rowid", "never changes", "UPDATE OR REPLACE trees SET rowid = 1 WHERE root_id = 6"),
    attack("fewer jobs counted", "its count of jobs is computed", "UPDATE trees SET jobs = 0 WHERE root_id = 1"),
    attack("one more job counted", "its count of jobs is computed", "UPDATE trees SET jobs = jobs + 1 WHERE root_id = 1"),
    attack("tree deleted", "trees are never deleted", "DELETE FROM trees WHERE root_id = 1"),
    attack("another folder to work in", NO_MARK + "pauses_are_made_by", "UPDATE trees SET work_dir = '/'"),
    attack("a pause lifted", NO_MARK + "pauses_are_made_by", "UPDATE trees SET paused_ms = NULL"),
    attack("the store's pause lifted", NO_MARK + "pauses_are_made_by", "UPDATE store SET paused_ms = NULL, brake_until_ms = NULL"),
    attack("settings changed", NO_MARK + "settings_are_changed_by_the_command_orch_settings", "UPDATE settings SET slots = 1000, max_workers_ceiling = 1000"),
    attack("settings replaced", "settings have one row", "INSERT OR REPLACE INTO settings SELECT * FROM settings"),
    attack("settings deleted", "settings have one row", "DELETE FROM settings"),
    attack("another identity", "the store keeps its identity", "UPDATE store SET store_id = 'mine'"),
    attack("a second store", "the store has one row", "INSERT OR REPLACE INTO store(one, store_id, created_ms, seq) VALUES (1, 'mine', 1, 1)"),
    attack("seq at the end of numbers", "its seq rises one by one", "UPDATE store SET seq = 9223372036854775807"),
    attack("seq back", "its seq rises one by one", "UPDATE store SET seq = 0"),
    attack("bookkeeping opened by hand", "written by the store alone", "UPDATE store SET busy_job = 2"),
    attack("bookkeeping opened for no job", "written by the store alone", "UPDATE store SET busy_job = 0"),
    attack("totals tampered with", "the counts of jobs are computed", "UPDATE status_counts SET jobs = 0"),
    attack("totals added", "the counts of jobs are computed", "INSERT INTO status_counts VALUES (1, 'done', 5)"),
    attack("totals replaced", "the counts of jobs are computed", "INSERT OR REPLACE INTO status_counts VALUES (0, 'queued', 0)"),
    attack("totals deleted", "the counts of jobs are computed", "DELETE FROM status_counts"),
    attack("history changed", "history never changes", "UPDATE changes SET reason = 'forged'"),
    attack("history deleted", "history never changes", "DELETE FROM changes"),
    attack("history replaced", "history is written by the store alone", "INSERT OR REPLACE INTO changes(seq, job_id, at_ms, status, attempt) VALUES (1, 1, 1, 'failed', 9)"),
    attack("history added", "history is written by the store alone", "INSERT INTO changes(seq, job_id, at_ms, status, attempt) SELECT seq, 1, 1, 'failed', 9 FROM store"),
    attack("an attempt forged", NO_MARK + "attempts_are_written_by_their_workers", "INSERT INTO attempts(job_id, number, token_sha256, started_ms) VALUES (4, 1, 'mine', 1)"),
    attack("an attempt replaced", NO_MARK + "attempts_are_written_by_their_workers", "INSERT OR REPLACE INTO attempts(job_id, number, token_sha256, started_ms) VALUES (5, 1, 'mine', 1)"),
    attack("a token taken over", NO_MARK + "attempts_are_written_by_their_workers", "UPDATE attempts SET token_sha256 = 'mine' WHERE job_id = 5"),
    attack("an attempt under another number", NO_MARK + "attempts_are_written_by_their_workers", "UPDATE OR REPLACE attempts SET number = 2 WHERE job_id = 5"),
    attack("a cost taken back", NO_MARK + "attempts_are_written_by_their_workers", "UPDATE attempts SET cost_usd = -1e9 WHERE job_id = 5"),
    attack("an attempt ended from outside", NO_MARK + "attempts_are_written_by_their_workers", "UPDATE attempts SET ended_ms = 1 WHERE job_id = 5"),
    attack("attempts deleted", "attempts are never deleted", "DELETE FROM attempts"),
    attack("its own ask allowed", "an ask is answered by a person: orch answer", "UPDATE asks SET answer = 'allow' WHERE id = 1"),
    attack("its own ask answered", NO_MARK + "asks_are_answered_by_the_command_orch_answer", "UPDATE asks SET answer = 'allow', answered_ms = 1 WHERE id = 1"),
    attack("its own ask voided", "only the end of its job voids it", "UPDATE asks SET answer = 'void' WHERE id = 1"),
    attack("an answer used twice", NO_MARK + "asks_are_answered_by", "UPDATE asks SET used_ms = NULL WHERE id = 2"),
    attack("an answer for something else", "an ask never changes", "UPDATE asks SET input = '{\"command\":\"rm\"}' WHERE id = 2"),
    attack("an answer changed", "answered once", "UPDATE asks SET answer = 'deny' WHERE id = 2"),
    attack("an answer taken back", "answered once", "UPDATE asks SET answer = NULL WHERE id = 2"),
    attack("an ask under another id", "an ask never changes", "UPDATE OR REPLACE asks SET rowid = 2 WHERE id = 1"),
    attack("an ask replaced", "without an answer", "INSERT OR REPLACE INTO asks(id, job_id, attempt, kind, question, created_ms) VALUES (1, 2, 1, 'question', 'x', 1)"),
    attack("an ask born allowed", "without an answer", "INSERT INTO asks(job_id, attempt, kind, question, created_ms, answer) VALUES (2, 1, 'question', 'x', 1, 'allow')"),
    attack("an ask of a job that does not run", "made by the running attempt", "INSERT INTO asks(job_id, attempt, kind, question, created_ms) VALUES (4, 0, 'question', 'x', 1)"),
    attack("an ask that no one can read", "an ask has kind permission or question", "INSERT INTO asks(job_id, attempt, kind, question, created_ms, options) VALUES (2, 1, 'question', 'x', 1, '5')"),
    attack("asks deleted", "asks are never deleted", "DELETE FROM asks"),
    attack("an ask said to be answered by a rule", NO_MARK + "asks_are_answered_by", "UPDATE asks SET rule_id = 1 WHERE id = 1"),
    attack("an ask born with a rule", "without an answer", "INSERT INTO asks(job_id, attempt, kind, question, created_ms, rule_id) VALUES (2, 1, 'question', 'x', 1, 1)"),
    attack("an ask with other suggestions", "an ask never changes", "UPDATE asks SET suggestions = '[\"Bash\"]' WHERE id = 1"),
    attack("an ask with another title", "an ask never changes", "UPDATE asks SET title = 'harmless' WHERE id = 1"),
    attack("suggestions that are no rules", "an ask has kind permission or question", "INSERT INTO asks(job_id, attempt, kind, question, created_ms, suggestions) VALUES (2, 1, 'permission', 'x', 1, '[1]')"),
    attack("a rule of its own", NO_MARK + "asks_are_answered_by", "INSERT INTO rules(job_id, verdict, rule, created_ms) VALUES (2, 'allow', 'Bash', 1)"),
    attack("a rule replaced", NO_MARK + "asks_are_answered_by", "INSERT OR REPLACE INTO rules(id, job_id, verdict, rule, created_ms) VALUES (1, 1, 'allow', 'Bash', 1)"),
    attack("a rule widened", NO_MARK + "asks_are_answered_by", "UPDATE rules SET rule = 'Bash' WHERE id = 1"),
    attack("a rule for another job", NO_MARK + "asks_are_answered_by", "UPDATE OR REPLACE rules SET job_id = 6 WHERE id = 1"),
    attack("a deny turned round", NO_MARK + "asks_are_answered_by", "UPDATE rules SET verdict = 'allow' WHERE id = 2"),
    attack("a deny removed", NO_MARK + "asks_are_answered_by", "UPDATE rules SET removed_ms = 1 WHERE id = 2"),
    attack("a removed rule in force again", NO_MARK + "asks_are_answered_by", "UPDATE rules SET removed_ms = NULL WHERE id = 3"),
    attack("a rule under another id", NO_MARK + "asks_are_answered_by", "UPDATE OR REPLACE rules SET rowid = 2 WHERE id = 1"),
    attack("rules deleted", "rules are never deleted", "DELETE FROM rules"),
    attack("a key of its own", NO_MARK + "keys_are_made_by_the_command_orch_key", "INSERT INTO keys(name, sha256, created_ms) VALUES ('mine', 'mine', 1)"),
    attack("a key replaced", NO_MARK + "keys_are_made_by", "INSERT OR REPLACE INTO keys(id, name, sha256, created_ms) VALUES (1, 'mine', 'mine', 1)"),
    attack("a key taken over", NO_MARK + "keys_are_made_by", "UPDATE keys SET sha256 = 'mine'"),
    attack("a key for ever", NO_MARK + "keys_are_made_by", "UPDATE keys SET expires_ms = NULL"),
    attack("a revoked key opened", NO_MARK + "keys_are_made_by", "UPDATE keys SET revoked_ms = NULL WHERE id = 2"),
    attack("keys deleted", "keys are never deleted", "DELETE FROM keys"),
    attack("a hand-in forged", NO_MARK + "jobs_are_steered_by", "INSERT INTO handed_in VALUES ('key:1', 'second', 'x', 6, NULL, 1)"),
    attack("a hand-in replaced", NO_MARK + "jobs_are_steered_by", "INSERT OR REPLACE INTO handed_in VALUES ('key:1', 'first', 'x', 6, NULL, 1)"),
    attack("a hand-in changed", "what was handed in never changes", "UPDATE handed_in SET job_id = 6"),
    attack("a hand-in forgotten", NO_MARK + "jobs_are_steered_by", "DELETE FROM handed_in"),
    attack("a slot lent under a name", NO_MARK + "jobs_are_steered_by", "INSERT INTO lends VALUES (10, 1, 'another')"),
    attack("a lender renamed", "who has lent a slot never changes", "UPDATE lends SET name = 'another'"),
    attack("a lease made longer", NO_MARK + "attempts_are_written_by", "UPDATE attempts SET lease_until_ms = 9000000000000 WHERE job_id = 5"),
    attack("an attempt said to be elsewhere", NO_MARK + "attempts_are_written_by", "UPDATE attempts SET host = 'there', pid = NULL WHERE job_id = 5"),
    attack("a call answered", NO_MARK + "attempts_are_written_by", "INSERT INTO attempt_calls VALUES (5, 1, 'another', 'x')"),
    attack("an answer to a call replaced", NO_MARK + "attempts_are_written_by", "INSERT OR REPLACE INTO attempt_calls VALUES (5, 1, 'a call', 'x')"),
    attack("an answer to a call changed", "what a call was answered never changes", "UPDATE attempt_calls SET answer = 'x'"),
    attack("an answer to a call forgotten", NO_MARK + "attempts_are_written_by", "DELETE FROM attempt_calls"),
    attack("needs of a tree changed", NO_MARK + "limits_are_changed_by", "UPDATE trees SET needs = '{}' WHERE root_id = 1"),
    attack("needs of a job changed", "what a job needs never changes", "UPDATE jobs SET needs = '{}' WHERE id = 4"),
    attack("needs taken away", "what a job needs never changes", "UPDATE OR REPLACE jobs SET needs = NULL WHERE id = 4"),
    attack("needs that nobody can read", "needs is a JSON object", "INSERT INTO jobs(parent_id, request, kind, needs) VALUES (1, 'x', 'command', 'much')"),
    attack("needs beyond measure", "needs is a JSON object", "INSERT INTO jobs(parent_id, request, kind, needs) VALUES (1, 'x', 'command', '{\"cpus\": 1e400}')"),
    attack("a lender forgotten", NO_MARK + "jobs_are_steered_by", "DELETE FROM lends"),
]  # fmt: skip


@pytest.mark.parametrize("way", ["plain", "a program"])
@pytest.mark.parametrize("tried", [*INSERTS, *UPDATES, *OTHER_TABLES])
def test_an_attack_is_refused_and_changes_nothing(target: Target, tried: Attack, way: str) -> None:
    """By the plain `sqlite3` program, whose SQLite is old, and by a program with the newest."""
    said = WAYS[way](target.home, tried.sql)
    target.assert_unchanged()
    assert tried.says in said.replace("''", "'")


@pytest.mark.parametrize("way", sorted(WAYS.keys() - {"plain", "a program"}))
def test_no_switch_of_a_connection_helps(target: Target, way: str) -> None:
    """Checks ignored, foreign keys off, triggers recursive, the store attached to another database: the rules are triggers."""
    for parameter in (*INSERTS, *UPDATES, *OTHER_TABLES):
        tried: Attack = parameter.values[0]  # type: ignore[attr-defined]
        said = WAYS[way](target.home, tried.sql)
        target.assert_unchanged()
        assert tried.says in said.replace("''", "'"), tried.name
