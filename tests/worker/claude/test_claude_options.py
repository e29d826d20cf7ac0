"""The options of Claude Code for a job in its tree."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, PermissionResultAllow, create_sdk_mcp_server
from claude_rows import job, tree

from store.models import Rule
from tui_orch.worker.claude.options import DISALLOWED, Callbacks, claude_options


async def allow(*_: Any) -> PermissionResultAllow:
    return PermissionResultAllow()


def options(a_job: Any = None, a_tree: Any = None, **given: Any) -> ClaudeAgentOptions:
    whole: dict[str, Any] = {"env": {"HOME": "/h"}, "appendix": "PLACE", "resume": None, "ceiling_usd": None}
    whole |= {"work_dir": Path("/srv"), "callbacks": Callbacks(create_sdk_mcp_server("orch"), allow, {})}
    return claude_options(a_job or job(), a_tree or tree(), **whole | given)


def test_the_tree_decides_folder_mode_tools_and_settings() -> None:
    made = options(
        a_tree=tree(permission_mode="plan", allowed_tools=("Read", "Bash(ls:*)"), setting_sources=("project",))
    )
    assert (made.cwd, made.permission_mode, made.setting_sources) == (Path("/srv"), "plan", ["project"])
    assert made.allowed_tools == ["Read", "Bash(ls:*)", "mcp__orch__*"]


def rule(verdict: str, text: str) -> Rule:
    return Rule(1, 1, verdict, text, None, None, 0, None)


def test_rules_in_force_are_told_where_they_arrive_whole() -> None:
    """Once each; what could be split on the way is decided on when Claude Code asks."""
    rules = [rule("allow", "Bash(make:*)"), rule("deny", "Bash(git push:*)"), rule("allow", "Bash(echo ), Bash, x)")]
    made = options(a_tree=tree(allowed_tools=("Bash(make:*)",)), rules=[*rules, rule("deny", "Bash(a), Read, x)")])
    assert made.allowed_tools == ["Bash(make:*)", "mcp__orch__*"]
    assert made.disallowed_tools == [*DISALLOWED, "Bash(git push:*)"]


def test_without_a_word_on_settings_all_of_claude_codes_own_apply() -> None:
    assert options().setting_sources is None


def test_a_jobs_own_model_goes_before_the_trees() -> None:
    assert options(a_tree=tree(model="sonnet")).model == "sonnet"
    assert options(job(model="haiku"), tree(model="sonnet")).model == "haiku"
    assert options().model is None


def test_native_agents_and_what_outlives_a_turn_are_disallowed() -> None:
    made = options()
    assert made.disallowed_tools == list(DISALLOWED)
    assert {"Agent", "Task", "Workflow", "CronCreate", "ScheduleWakeup", "SendMessage", "Monitor"} <= set(DISALLOWED)
    assert made.env["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] == "1"


def test_the_environment_is_the_attempts_with_our_tools_in_the_list_at_once() -> None:
    env = options(env={"HOME": "/h", "ENABLE_TOOL_SEARCH": "1"}).env
    assert env["HOME"] == "/h"
    assert env["ENABLE_TOOL_SEARCH"] == "0"
    assert env["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] == "1"
    assert env["DISABLE_AUTOUPDATER"] == "1"


def test_the_system_prompt_is_claude_codes_own_with_the_place_appended() -> None:
    assert options().system_prompt == {"type": "preset", "preset": "claude_code", "append": "PLACE"}


def test_a_session_is_resumed_and_another_claude_code_is_used_where_they_are_named() -> None:
    assert options(resume="s1").resume == "s1"
    assert options().cli_path is None
    assert options(env={"ORCH_CLAUDE_PATH": "/opt/claude"}).cli_path == "/opt/claude"


def test_a_run_gets_the_ceiling_that_was_set_aside_for_it() -> None:
    assert options(ceiling_usd=1.5).max_budget_usd == 1.5
    assert options().max_budget_usd is None


def test_messages_of_many_megabytes_are_taken() -> None:
    assert (options().max_buffer_size or 0) >= 64 * 1024 * 1024


def test_the_package_is_imported_without_the_sdk() -> None:
    code = "import sys, tui_orch.worker.claude; sys.exit('claude_agent_sdk' in sys.modules or 'mcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
