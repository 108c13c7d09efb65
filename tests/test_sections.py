"""Sections of prompts: named blocks are listed and left out, marks change nothing that is said, and broken ones are refused."""

from __future__ import annotations

import re

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_cases import made

from socratic import sections
from socratic.errors import PromptError
from socratic.prompt import Prompt, lint, load, parse, shipped

BODY = """system:
Be short.
{# section: manners #}
Be kind.
{# section: thanks #}
Say thank you.
{# end: thanks #}
{# end: manners #}
user:
{# section: question #}
Who are you?
{# end: question #}
Answer."""


def said(prompt: Prompt, **values: object) -> list[tuple[str, str]]:
    return [(m.role, m.text) for m in prompt.render(**values).messages]


def test_sections_are_listed_in_order_without_their_marks() -> None:
    prompt = made(BODY)
    assert prompt.sections == {
        "manners": "Be kind.\nSay thank you.", "thanks": "Say thank you.", "question": "Who are you?",
    }  # fmt: skip
    assert lint(prompt) == []
    assert said(prompt) == [("system", "Be short.\nBe kind.\nSay thank you."), ("user", "Who are you?\nAnswer.")]


def test_a_section_is_left_out_with_those_inside_it_and_nothing_else() -> None:
    prompt = made(BODY)
    left = prompt.without("manners")
    assert said(left) == [("system", "Be short."), ("user", "Who are you?\nAnswer.")]
    assert list(left.sections) == ["question"] and left.sha256 != prompt.sha256
    assert said(prompt.without("thanks"))[0] == ("system", "Be short.\nBe kind.")
    assert said(prompt.without("question").without("manners")) == [("system", "Be short."), ("user", "Answer.")]


def test_a_section_is_replaced_and_keeps_its_marks() -> None:
    body = sections.replaced(BODY, "question", "What is it?\nTell me.")
    assert made(body).sections["question"] == "What is it?\nTell me."
    assert sections.unmarked(sections.replaced(BODY, "question", "")) == sections.unmarked(made(BODY).without("question").body)  # fmt: skip


def test_marks_count_neither_for_the_hash_nor_for_what_is_said() -> None:
    prompt = made(BODY)
    bare = made(sections.unmarked(BODY))
    assert bare.sha256 == prompt.sha256 and bare.body != prompt.body
    assert said(bare) == said(prompt) and bare.render().sha256 == prompt.render().sha256
    assert made(BODY.replace("kind", "Kind")).sha256 != prompt.sha256


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("user:\n{# section: a #}\nHello", "section 'a' is never closed"),
        ("user:\nHello\n{# end: a #}", "'a' ends where it cannot: no section is open"),
        ("user:\n{# section: a #}\nx\n{# end: a #}\n{# section: a #}\ny\n{# end: a #}", "two sections 'a'"),
        ("user:\n{# section: a #}\n{# section: b #}\nx\n{# end: a #}\n{# end: b #}", "inside it 'b' is still open"),
        ("user:\nHello {# section: a #}you{# end: a #}", "no mark of a section"),
        ("user:\n{# Section: a #}\nx\n{# End: a #}", "no mark of a section"),
        ("user:\n{# section: #}\nx", "no mark of a section"),
        ("user:\n{#- section: a -#}\nx\n{#- end: a -#}", "no mark of a section"),
        ("{# section: a #}user:\nx\n{# end: a #}\nuser:\ny", "no mark of a section"),
        ("user:\n{% raw %}\n{# section: a #}\nx\n{# end: a #}\n{% endraw %}", "reads no comment"),
        ("user:\n{# section: a #}\n{% if true %}\n{# end: a #}\nx\n{% endif %}", "'a' cannot be left out"),
    ],
)  # fmt: skip
def test_broken_sections_are_refused_when_a_prompt_is_loaded(body: str, problem: str) -> None:
    with pytest.raises(PromptError, match=re.escape(problem)):
        made(body)


def test_an_ordinary_comment_is_no_section() -> None:
    prompt = made("user:\n{# the end of it, section by section #}\nHello")
    assert prompt.sections == {} and lint(prompt) == []


def test_leaving_out_what_is_not_there_or_all_that_the_user_says_is_an_error() -> None:
    with pytest.raises(PromptError, match="there is no section 'question '.*did you mean 'question'"):
        made(BODY).without("question ")
    with pytest.raises(PromptError, match="no section.*section: name"):
        made("user:\nHello").without("a")
    with pytest.raises(PromptError, match="no user: message"):
        made("system:\nHello\n{# section: all #}\nuser:\nHello\n{# end: all #}").without("all")


PIECE = st.sampled_from(
    ["Be short.", "{{ question }}", "  indented", "", "{% if question %}\nyes\n{% endif %}", "a: b"]
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(PIECE, st.booleans()), min_size=1, max_size=6))
def test_whatever_is_marked_the_messages_are_the_same_and_leaving_out_leaves_the_rest(
    parts: list[tuple[str, bool]],
) -> None:
    texts = [f"{{# section: s{i} #}}\n{t}\n  {{# end: s{i} #}}" if mark else t for i, (t, mark) in enumerate(parts)]
    inputs = "question: {kind: string, required: false, default: Why}"
    whole = made("user:\nHello\n" + "\n".join(texts) + "\nBye", inputs)
    bare = made("user:\nHello\n" + "\n".join(t for t, _ in parts) + "\nBye", inputs)
    assert whole.render().messages == bare.render().messages and whole.sha256 == bare.sha256
    for i, (_, mark) in enumerate(parts):
        if mark:
            rest = made("\n".join(["user:\nHello", *(t for n, (t, _) in enumerate(parts) if n != i), "Bye"]), inputs)
            assert whole.without(f"s{i}").render().messages == rest.render().messages


@pytest.mark.parametrize("name", [n for n in shipped() if load(n).sections])
def test_sections_of_shipped_prompts_can_each_be_left_out(name: str) -> None:
    prompt = load(name)
    for section, text in prompt.sections.items():
        assert lint(prompt.without(section)) in ([], [f for f in lint(prompt.without(section)) if "never used" in f])
        assert text and text not in prompt.without(section).body


def test_a_reader_that_knows_no_sections_and_trims_nothing_says_the_same_up_to_empty_lines() -> None:
    values = {"image_type": "photo", "amount": "Two.", "places": ["x"], "objects": ["y"], "shots": []}
    plain = jinja2.Environment().from_string(load("caption.write").body).render(values)
    bare = jinja2.Environment().from_string(sections.unmarked(load("caption.write").body)).render(values)
    assert [line for line in plain.split("\n") if line] == [line for line in bare.split("\n") if line]


@pytest.mark.parametrize("name", shipped())
def test_a_prompt_written_as_a_file_is_the_same_prompt(name: str) -> None:
    prompt = load(name)
    again = parse(prompt.as_text().encode(), "again.prompty")
    assert (again.header, again.body) == (prompt.header, prompt.body)
