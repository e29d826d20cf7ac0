-- For workers on other machines: what a job needs of one, the lease by which an attempt there lives, the machine's name, and the
-- answers to the calls of a worker that is elsewhere, by which a call that is made again does nothing twice.
--
-- needs: a JSON object with cpus, memory_mb, resources and labels, see store/needs.py. A job's own go over its tree's.
-- lease_until_ms: until then an attempt elsewhere may live, whatever its engine says; NULL = its worker is on this machine, or
-- has not come yet. host: the machine that it runs on.

ALTER TABLE jobs ADD COLUMN needs TEXT;
ALTER TABLE trees ADD COLUMN needs TEXT;
ALTER TABLE attempts ADD COLUMN lease_until_ms INTEGER;
ALTER TABLE attempts ADD COLUMN host TEXT;

-- What a call of a worker elsewhere was answered, until its attempt ends.
CREATE TABLE attempt_calls (
  job_id  INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  call_id TEXT    NOT NULL,                       -- the worker's own name for the call
  answer  TEXT    NOT NULL,
  PRIMARY KEY (job_id, attempt, call_id)
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------------------------------------------- needs
CREATE TRIGGER jobs_guard_needs BEFORE INSERT ON jobs WHEN NEW.needs IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'bad_input: needs is a JSON object with cpus, memory_mb, resources and labels, no more')
  WHERE length(NEW.needs) > 16384 OR NOT json_valid(NEW.needs) OR instr(NEW.needs, '\u0000') > 0;
  SELECT RAISE(ABORT, 'bad_input: needs is a JSON object with cpus, memory_mb, resources and labels, no more')
  WHERE json_type(NEW.needs) IS NOT 'object'
     OR (SELECT count(*) FROM json_each(NEW.needs)) IS NOT (SELECT count(DISTINCT key) FROM json_each(NEW.needs))
     OR EXISTS (SELECT 1 FROM json_each(NEW.needs) AS top WHERE NOT CASE top.key
          WHEN 'cpus' THEN top.type IN ('integer', 'real') AND top.value BETWEEN 0.01 AND 1024
          WHEN 'memory_mb' THEN top.type = 'integer' AND top.value BETWEEN 1 AND 4000000
          WHEN 'resources' THEN top.type = 'object' AND (SELECT count(*) FROM json_each(top.value)) <= 16
          WHEN 'labels' THEN top.type = 'object' AND (SELECT count(*) FROM json_each(top.value)) <= 16
          ELSE 0 END);
  SELECT RAISE(ABORT, 'bad_input: resources and labels of needs have names of 1 to 63 of A-Za-z0-9._/-, with a number above 0 up to 1000000, or a text of 1 to 63 of A-Za-z0-9._-')
  WHERE EXISTS (
    SELECT 1 FROM json_each(NEW.needs) AS top JOIN json_each(top.value) AS each
    WHERE top.type = 'object' AND NOT (length(each.key) BETWEEN 1 AND 63 AND each.key NOT GLOB '*[^A-Za-z0-9._/-]*' AND CASE top.key
      WHEN 'resources' THEN each.type IN ('integer', 'real') AND each.value > 0 AND each.value <= 1000000
      ELSE each.type = 'text' AND length(each.value) BETWEEN 1 AND 63 AND each.value NOT GLOB '*[^A-Za-z0-9._-]*' END));
END;
-- It names no column, see 0002_guards.sql: an UPDATE OR REPLACE could miss it otherwise.
CREATE TRIGGER jobs_guard_needs_stay BEFORE UPDATE ON jobs WHEN NEW.needs IS NOT OLD.needs BEGIN
  SELECT RAISE(ABORT, 'illegal: what a job needs never changes');
END;
-- Marked. What is written by our own functions is as store/needs.py wants it.
CREATE TRIGGER trees_guard_needs BEFORE UPDATE OF needs ON trees BEGIN
  SELECT limits_are_changed_by_the_command_orch_limits();
  SELECT RAISE(ABORT, 'bad_input: needs of a tree is a JSON object') WHERE NEW.needs IS NOT NULL AND NOT json_valid(NEW.needs);
END;
CREATE TRIGGER trees_guard_needs_insert BEFORE INSERT ON trees WHEN NEW.needs IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'illegal: a tree is made with its root job, without needs');
END;

---------------------------------------------------------------------------------------------------------------- attempts
-- As it was, and: a worker elsewhere puts a token of its own in the place of the code that it came with, in the claim that
-- gives it its lease. It keeps its machine, and never goes without a lease again.
DROP TRIGGER attempts_guard_update;
CREATE TRIGGER attempts_guard_update BEFORE UPDATE ON attempts BEGIN
  SELECT attempts_are_written_by_their_workers();
  SELECT RAISE(ABORT, 'illegal: an attempt keeps its number and claim, and never changes after its end')
  WHERE NEW.job_id IS NOT OLD.job_id OR NEW.number IS NOT OLD.number
     OR (NEW.token_sha256 IS NOT OLD.token_sha256
       AND (OLD.claimed_ms IS NOT NULL OR NEW.claimed_ms IS NULL OR NEW.lease_until_ms IS NULL))
     OR (OLD.claimed_ms IS NOT NULL AND NEW.claimed_ms IS NOT OLD.claimed_ms) OR OLD.ended_ms IS NOT NULL;
  SELECT RAISE(ABORT, 'illegal: an attempt has its lease and its machine from its claim on, or never')
  WHERE (NEW.lease_until_ms IS NULL) IS NOT (OLD.lease_until_ms IS NULL) AND (OLD.claimed_ms IS NOT NULL OR NEW.claimed_ms IS NULL)
     OR NEW.host IS NOT OLD.host AND (OLD.claimed_ms IS NOT NULL OR NEW.claimed_ms IS NULL)
     OR NEW.lease_until_ms NOT BETWEEN 0 AND 253402300799999;
END;
CREATE TRIGGER attempts_guard_insert_elsewhere BEFORE INSERT ON attempts
WHEN NEW.lease_until_ms IS NOT NULL OR NEW.host IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'illegal: an attempt has its lease and its machine from its claim on, or never');
END;

----------------------------------------------------------------------------------------------------------- attempt_calls
-- Marked.
CREATE TRIGGER attempt_calls_guard_insert BEFORE INSERT ON attempt_calls BEGIN
  SELECT attempts_are_written_by_their_workers();
  SELECT RAISE(ABORT, 'illegal: a call is answered once, while its attempt is open')
  WHERE EXISTS (SELECT 1 FROM attempt_calls WHERE job_id = NEW.job_id AND attempt = NEW.attempt AND call_id = NEW.call_id)
     OR NOT EXISTS (SELECT 1 FROM attempts WHERE job_id = NEW.job_id AND number = NEW.attempt AND ended_ms IS NULL);
END;
CREATE TRIGGER attempt_calls_guard_update BEFORE UPDATE ON attempt_calls BEGIN
  SELECT RAISE(ABORT, 'illegal: what a call was answered never changes');
END;
CREATE TRIGGER attempt_calls_guard_delete BEFORE DELETE ON attempt_calls BEGIN
  SELECT attempts_are_written_by_their_workers();
  SELECT RAISE(ABORT, 'illegal: the answers of an attempt stay until it ends')
  WHERE EXISTS (SELECT 1 FROM attempts WHERE job_id = OLD.job_id AND number = OLD.attempt AND ended_ms IS NULL);
END;
CREATE TRIGGER attempts_end_their_calls AFTER UPDATE OF ended_ms ON attempts WHEN NEW.ended_ms IS NOT NULL BEGIN
  DELETE FROM attempt_calls WHERE job_id = NEW.job_id AND attempt = NEW.number;
END;
