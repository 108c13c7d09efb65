"""Lists in replies: bullets of all sorts, other forms that are repaired, and no list at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reply_cases import LIST, WORDS, refused

from socratic.reply import ReplyContract


@pytest.mark.parametrize(
    "bullet", ["-", "*", "•", "–", "—", "+", "◦", "▪", "·", "1.", "1)", "(1)", "12:", "  -", "\t3."]
)
def test_bullets_of_all_sorts_make_a_clean_list(bullet: str) -> None:
    assert LIST.read(f"{bullet} black stripes\n{bullet} four legs") == (["black stripes", "four legs"], "clean")


@pytest.mark.parametrize(
    "text",
    [
        "black stripes\nfour legs",
        "black stripes, four legs",
        "black stripes; four legs.",
        "Here are some:\nblack stripes\nfour legs",
        "Sure! Here are some:\n\n- black stripes\n- four legs\n\nTell me if you need more.",
        '"black stripes",\n"four legs",',
        "```\n- black stripes\n- four legs\n```",
        "Here:\n```\nblack stripes\nfour legs\n```",
        "- black stripes\n- four legs\n- black stripes\nand that is all",
    ],
)
def test_a_list_in_another_form_is_repaired(text: str) -> None:
    assert LIST.read(text) == (["black stripes", "four legs"], "repaired")


def test_items_lose_their_quotes_and_keep_their_apostrophes() -> None:
    assert LIST.read("- \"it's striped\"\n- **a zebra's mane**,\n- 'quoted'")[0] == [
        "it's striped",
        "a zebra's mane",
        "quoted",
    ]


def test_a_list_of_one_needs_its_bullet() -> None:
    assert LIST.read("- four legs") == (["four legs"], "clean")
    assert "list" in refused(LIST, "I cannot help with that.")


@pytest.mark.parametrize("text", ["Here:\nFeatures:", '- ""\n- **'])
def test_a_list_without_items_is_unreadable(text: str) -> None:
    refused(LIST, text)


def test_a_list_stops_at_max_items_and_a_long_item_is_unreadable() -> None:
    contract = ReplyContract(kind="list", max_items=2, max_words=2)
    assert contract.read("- a\n- b\n- c") == (["a", "b"], "clean")
    assert refused(contract, "- a\n- b c d") == "more than 2 words"


@given(st.lists(WORDS, min_size=1, max_size=40, unique=True), st.sampled_from(["- ", "* ", "• ", "7. ", "(12) "]))
def test_a_clean_list_comes_back_whole(items: list[str], bullet: str) -> None:
    assert LIST.read("\n".join(bullet + item for item in items)) == (items, "clean")
