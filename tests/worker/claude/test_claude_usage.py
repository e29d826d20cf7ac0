"""An attempt's own cost and tokens, out of the session's."""

import pytest

from store.models import Usage
from tui_orch.worker.claude.usage import Totals, own_usage

TOKENS = {
    "input_tokens": 100,
    "output_tokens": 50,
    "cache_read_input_tokens": 7,
    "cache_creation_input_tokens": 3,
    "service_tier": "standard",
}


def test_the_first_attempt_of_a_session_costs_all_of_it() -> None:
    assert own_usage(Totals(0.25, TOKENS, 3), {}, 0.0) == Usage(0.25, 100, 50, 7, 3, 3, 0.25)


def test_a_later_attempt_costs_what_the_session_cost_since() -> None:
    used = own_usage(Totals(0.75, TOKENS, 3), {}, 0.25)
    assert used.cost_usd == pytest.approx(0.5)
    assert used.session_cost_usd == 0.75


def test_a_total_below_what_was_known_began_anew_and_is_never_negative() -> None:
    assert own_usage(Totals(0.1, TOKENS, 1), {}, 0.4).cost_usd == 0.1


def test_without_a_price_nothing_is_made_up() -> None:
    used = own_usage(Totals(None, {}, 1), {}, 0.4)
    assert (used.cost_usd, used.session_cost_usd) == (0.0, None)


def test_a_killed_run_is_estimated_from_its_messages() -> None:
    used = own_usage(None, {"msg_1": TOKENS, "msg_2": TOKENS}, 0.4)
    assert used == Usage(0.0, 200, 100, 14, 6, 2, None)
    assert own_usage(None, {}, 0.0) == Usage()


@pytest.mark.parametrize("odd", [None, "7", -1, True, 1.5])
def test_odd_numbers_count_as_nothing(odd: object) -> None:
    assert own_usage(Totals(0.0, {"input_tokens": odd}, 1), {}, 0.0).input_tokens == 0
