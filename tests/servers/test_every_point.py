"""What was found out about real servers, point by point, and the tests that stand for each."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from .test_odd_servers import ROWS

ODD, LLAMA, CHAT = "servers.test_odd_servers", "servers.test_llama_cpp", "analysis.test_chat"
PRESETS, EMBEDDINGS = "analysis.test_presets", "analysis.test_embeddings"
ROW = "row"

POINTS: dict[str, tuple[tuple[str, str], ...]] = {
    "1 a schema is dropped without a word": ((ROW, "schema ignored: prose"),),
    "2 a schema is answered with 500, JSON with a schema beside it is not": (
        (ROW, "schema refused with 500"),
        (ODD, "test_what_was_learnt_of_a_server_is_not_tried_again"),
        (LLAMA, "test_every_structured_answer_is_valid_at_the_first_try"),
    ),
    "3 cut off at the limit": (
        (ROW, "cut off"),
        (LLAMA, "test_an_answer_cut_off_by_the_limit_is_told_as_such_with_what_it_cost"),
    ),
    "4 parts of a schema are accepted and not enforced": (
        (ROW, "minimum and maximum not enforced"),
        (ODD, "test_the_schema_is_bounded_and_uses_nothing_that_servers_refuse_or_ignore"),
    ),
    "5 parts of a schema are refused with 400": (
        (ROW, "schema refused with 400"),
        (ROW, "grammar refused"),
        (LLAMA, "test_a_form_that_it_refuses_is_told_as_refused"),
    ),
    "6 what is enforced everywhere": (
        (ODD, "test_the_schema_is_bounded_and_uses_nothing_that_servers_refuse_or_ignore"),
        (LLAMA, "test_every_structured_answer_is_valid_at_the_first_try"),
    ),
    "7 infinity": ((ROW, "number beyond floats"), (ROW, "NaN")),
    "8 white space varies": ((ROW, "200 characters of white space"),),
    "9 large enums": ((LLAMA, "test_two_thousand_labels_are_no_burden"),),
    "10 garbage with 200": (
        (ROW, "half of JSON"),
        (ROW, "HTML with 200"),
        (CHAT, "test_whatever_is_answered_with_200_is_an_answer_or_a_failure"),
    ),
    "11 lone surrogates": (
        (ODD, "test_a_ticket_with_half_a_pair_of_surrogates_is_sent_without_it"),
        (LLAMA, "test_strange_characters_reach_it"),
    ),
    "12 shapes of errors": (
        (ROW, "401 in a word"),
        (ROW, "unknown path"),
        (ROW, "500 for a dead upstream"),
        (CHAT, "test_whatever_an_error_looks_like_it_is_told_by_a_fixed_word"),
    ),
    "13 prompt too long": (
        (ROW, "prompt too long (llama.cpp)"),
        (ROW, "prompt too long (vLLM)"),
        (ROW, "prompt too long (llama-cpp-python)"),
        (LLAMA, "test_a_prompt_that_is_too_long_is_told_as_such"),
    ),
    "14 permanent 500": ((ODD, "test_a_server_that_never_gets_better_is_asked_a_few_times_and_no_more"),),
    "15 wrong model name": (
        (ROW, "unknown model"),
        (ROW, "unknown model told as 400"),
        (LLAMA, "test_the_name_that_it_answers_with_is_recorded_whatever_was_asked_for"),
    ),
    "16 wrong key": (
        (ROW, "401 in an object"),
        (ROW, "wrong key told as 400"),
        (LLAMA, "test_a_key_is_wanted_where_one_is_set"),
    ),
    "17 dead upstream": ((ROW, "500 for a dead upstream"),),
    "18 refused, killed, too slow": (
        (ROW, "hangs"),
        (ROW, "reset in mid-answer"),
        (CHAT, "test_the_sdks_retries_are_off_and_its_timeout_is_replaced"),
        (ODD, "test_an_answer_that_drips_in_is_given_up_at_the_timeout_for_the_whole"),
        (LLAMA, "test_a_server_that_was_killed_is_unreachable_and_worth_a_retry"),
    ),
    "19 optional fields": (
        (ROW, "optional fields null, others extra"),
        (ROW, "no usage"),
        (CHAT, "test_an_answer_is_read_with_its_tokens_and_the_name_of_the_model"),
    ),
    "20 the name of the limit": (
        (PRESETS, "test_a_limit_is_always_sent_in_the_name_that_the_server_knows"),
        (ROW, "max_tokens refused"),
    ),
    "21 a limit is always sent": ((ODD, "test_only_what_every_server_knows_is_sent_and_only_chat_is_asked_for"),),
    "22 temperature, number of choices": (
        (ODD, "test_only_what_every_server_knows_is_sent_and_only_chat_is_asked_for"),
        (ROW, "temperature refused"),
        (ROW, "two choices"),
    ),
    "23 unknown parameters, the developer's role": (
        (ODD, "test_only_what_every_server_knows_is_sent_and_only_chat_is_asked_for"),
    ),
    "24 the list of models": ((ODD, "test_only_what_every_server_knows_is_sent_and_only_chat_is_asked_for"),),
    "25 repeatable answers": ((ODD, "test_only_what_every_server_knows_is_sent_and_only_chat_is_asked_for"),),
    "26 no embeddings, or elsewhere": (
        (EMBEDDINGS, "test_a_server_without_embeddings_is_told_in_a_sentence"),
        (EMBEDDINGS, "test_it_has_an_address_and_a_key_of_its_own"),
        (LLAMA, "test_embeddings_are_told_to_be_absent_where_it_was_started_without"),
    ),
    "27 one vector for each token": ((EMBEDDINGS, "test_what_holds_no_usable_vectors_is_told_as_such"),),
    "28 long inputs": (
        (EMBEDDINGS, "test_what_is_too_long_for_it_is_cut_shorter_until_it_takes_it_and_that_is_remembered"),
        (LLAMA, "test_embeddings_come_one_for_each_text_and_long_texts_are_cut_until_it_takes_them"),
    ),
    "29 empty inputs": ((EMBEDDINGS, "test_texts_without_a_word_are_never_sent_and_have_vectors_of_zeros"),),
    "30 base64 or floats": ((EMBEDDINGS, "test_base64_is_taken_though_floats_were_asked_for"),),
    "31 the SDK has a transport of its own": (
        (ODD, "test_every_odd_behaviour_has_its_next_step"),
        (CHAT, "test_the_sdks_retries_are_off_and_its_timeout_is_replaced"),
    ),
}


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"tests.{name}")


@pytest.mark.parametrize("point", POINTS)
def test_every_point_has_its_tests(point: str) -> None:
    rows = {row.what for row in ROWS}
    for where, name in POINTS[point]:
        assert name in rows if where == ROW else callable(getattr(_module(where), name, None)), name


def test_no_point_is_left_out() -> None:
    assert [int(point.split()[0]) for point in POINTS] == list(range(1, 32))
