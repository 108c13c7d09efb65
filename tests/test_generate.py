"""Drawing: rewriting before it, exclusions, the best of several, and conversations that are edited and resumed."""

from __future__ import annotations

from typing import Any

import pytest
from doubles import ScriptedEmbedder, ScriptedWriter
from doubles_generate import LikelyMatcher, ScriptedGenerator, flat
from doubles_sight import ScriptedAnswerer

from socratic.budget import Budget
from socratic.errors import BadInput, BudgetExceeded, ModelUnavailable, ReplyError, ToolError
from socratic.recipes.generate import Drawings, generate
from socratic.transcript import Transcript
from socratic.workbench import Workbench

CAT, LONG_CAT = "a cat on a sofa", "a cat with long whiskers on a sofa"


def drawn(prompt: str, generator: ScriptedGenerator | None = None, tools: dict[str, Any] | None = None, **how: Any) -> Drawings:  # fmt: skip
    with Workbench.of(generator=generator or ScriptedGenerator(), **(tools or {})).used():
        return generate(prompt, **how)


def of(prompt: str, seed: int, negative: str = "") -> str:
    """The hash of the picture that the double draws."""
    return flat((prompt, negative, seed), (32, 32)).sha256


def test_off_draws_the_very_words_and_asks_nobody() -> None:
    generator = ScriptedGenerator()
    value = drawn(CAT, generator, n=3, seed=5, width=16, steps=4)
    assert [(d.prompt, d.seed, d.width, d.steps) for d in generator.drawn] == [(CAT, 5 + i, 16, 4) for i in range(3)]
    assert generator.calls["draw"].forwards == 1
    assert (value.prompt, value.rewritten, value.scores) == (CAT, None, ())
    assert [set(row) for row in value.as_dict()["images"]] == [{"picture", "prompt", "seed", "revised", "score"}] * 3


def test_auto_draws_the_rewriting_and_keeps_the_users_words() -> None:
    generator, writer = ScriptedGenerator(), ScriptedWriter([LONG_CAT])
    value = drawn(CAT, generator, {"writer": writer}, rewrite="auto")
    assert generator.drawn[0].prompt == LONG_CAT == value.rewritten and value.prompt == CAT
    assert value.as_dict()["prompt"] == CAT and value.as_dict()["rewritten"] == LONG_CAT
    assert value.rewriting and value.rewriting.difference.added == ("with long whiskers",)


def test_suggest_draws_the_users_words_and_shows_the_others() -> None:
    generator, writer = ScriptedGenerator(), ScriptedWriter([LONG_CAT, "a fat cat on a sofa"])
    value = drawn(CAT, generator, {"writer": writer}, rewrite="suggest", k=2)
    assert generator.drawn[0].prompt == CAT and value.rewritten is None
    assert value.rewriting and [s.text for s in value.rewriting.usable] == [LONG_CAT, "a fat cat on a sofa"]


def test_the_rewritten_prompt_is_edited_and_only_the_picture_is_made_anew() -> None:
    first = drawn(CAT, tools={"writer": ScriptedWriter([LONG_CAT])}, rewrite="auto", seed=3)
    stored = Transcript.from_dict(first.transcript.as_dict())
    generator, silent = ScriptedGenerator(), ScriptedWriter([])
    with Workbench.of(generator=generator, writer=silent).used():
        value = generate.resume(stored.edited({"rewritten": "a black cat on a sofa"}))
    assert (generator.drawn[0].prompt, generator.drawn[0].seed) == ("a black cat on a sofa", 3)
    assert silent.requests == [] and value.prompt == CAT and value.rewritten == "a black cat on a sofa"


def test_exclusions_are_always_more_than_words() -> None:
    generator, writer = ScriptedGenerator(), ScriptedWriter(["a wide beach"])
    drawn("a beach without people", generator, negative="fog")
    drawn("a beach without people", generator, {"writer": writer}, rewrite="auto")
    assert [(d.prompt, d.negative) for d in generator.drawn] == [("a beach without people", "fog, person"), ("a wide beach", "person")]  # fmt: skip


def test_a_generator_without_negative_prompts_is_told_in_words() -> None:
    generator = ScriptedGenerator()
    tools: dict[str, Any] = {"writer": ScriptedWriter(["a wide beach."])}
    drawn("a beach without people", generator, exclusions="text")
    drawn("a beach without people", generator, tools, rewrite="auto", exclusions="text")
    said = [(d.prompt, d.negative) for d in generator.drawn]
    assert said == [("a beach without people", ""), ("a wide beach, without person", "")]


def test_the_best_of_several_is_kept_and_ties_go_by_seed() -> None:
    same = {of(CAT, seed): [1.0, 0.0] for seed in (0, 2, 3)}
    embedder = ScriptedEmbedder({CAT: [0.0, 1.0]}, {**same, of(CAT, 1): [1.0, 1.0]})
    value = drawn(CAT, tools={"embedder": embedder}, n=4, best=3)
    assert [d.seed for d in value.drawings] == [1, 0, 2]
    assert list(value.scores) == pytest.approx([0.7071, 0.0, 0.0], abs=1e-4)
    assert embedder.calls["embed_picture"].items == 4 and embedder.calls["embed_text"].items == 1
    assert value.as_dict()["images"][0]["score"] == value.scores[0]


def test_of_several_tries_the_best_are_kept() -> None:
    embedder = ScriptedEmbedder({CAT: [0.0, 1.0]}, {of(CAT, seed): [1.0, float(seed in (2, 3))] for seed in range(4)})
    value = drawn(CAT, tools={"embedder": embedder}, n=2, tries=2)
    assert [d.seed for d in value.drawings] == [2, 3] and len(value.scores) == 2
    assert [d.seed for d in drawn(CAT, tools={"embedder": embedder}, n=2, tries=2, best=1).drawings] == [2]


def test_pictures_are_judged_by_the_users_words_without_exclusions() -> None:
    writer, embedder = ScriptedWriter([LONG_CAT]), ScriptedEmbedder()
    value = drawn(f"{CAT} without a dog", tools={"writer": writer, "embedder": embedder}, rewrite="auto", n=2, best=1)
    turn = next(t for t in value.transcript.turns if t.name == "ranking")
    expected = embedder.embed_text(CAT) @ embedder.embed_picture(value.drawings[0].picture)
    assert turn.evidence["cosine"][value.drawings[0].seed] == pytest.approx(float(expected), abs=1e-4)


@pytest.mark.parametrize("judge", ["matcher", "answerer"])
def test_a_matcher_or_a_likely_yes_may_judge(judge: str) -> None:
    model = LikelyMatcher({of(CAT, 0): 0.2, of(CAT, 1): 0.9, of(CAT, 2): 0.5})
    value = drawn(CAT, tools={judge: model}, n=3, best=2, judge=judge)
    assert [d.seed for d in value.drawings] == [1, 2] and list(value.scores) == pytest.approx([0.9, 0.5])
    assert set(model.questions) == ({f'Is this true: "{CAT}"?'} if judge == "answerer" else set())


def test_an_answerer_without_likelihoods_cannot_judge() -> None:
    with pytest.raises(ModelUnavailable, match="no likelihoods"):
        drawn(CAT, tools={"answerer": ScriptedAnswerer({})}, n=2, best=1, judge="answerer")


def test_a_ranking_is_not_edited_as_text() -> None:
    first = drawn(CAT, tools={"embedder": ScriptedEmbedder()}, n=2, best=1)
    edited = first.transcript.edited({"ranking": "the second"})
    with Workbench.of(generator=ScriptedGenerator(), embedder=ScriptedEmbedder()).used(), pytest.raises(BadInput, match="ranking"):  # fmt: skip
        generate.resume(edited)


def test_failures_are_told() -> None:
    broken = ScriptedGenerator(refuses={CAT: ToolError("drawing failed")})
    with pytest.raises(ToolError, match="drawing failed"):
        drawn(CAT, broken)
    with pytest.raises(ReplyError, match="does not keep"):
        drawn(CAT, tools={"writer": ScriptedWriter(["a dog"] * 2)}, rewrite="auto")
    with pytest.raises(BudgetExceeded):
        drawn(CAT, n=3, budget=Budget(calls=2))


@pytest.mark.parametrize(
    ("prompt", "how"),
    [("", {}), (CAT, {"n": 0}), (CAT, {"n": 2, "best": 3}), (CAT, {"best": -1}), (CAT, {"tries": 0}), (CAT, {"rewrite": "maybe"}),
     (CAT, {"best": 1, "judge": "me"})],
)  # fmt: skip
def test_wrong_arguments(prompt: str, how: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        drawn(prompt, **how)


def test_on_the_pocket_models_a_rewriting_keeps_what_was_asked(pocket: Workbench) -> None:
    """The pocket writer spells out looks; the facts stay, and every picture is judged."""
    value = generate("a lemon on a beach", n=2, best=1, rewrite="auto", steps=2)
    assert value.rewritten and "lemon" in value.rewritten and "on a beach" in value.rewritten
    assert value.rewriting and value.rewriting.difference.added and not value.rewriting.warnings
    assert len(value.drawings) == 1 and value.scores[0] is not None and -1 <= value.scores[0] <= 1
    assert pocket.tool("generator").calls["text"].forwards == 1
