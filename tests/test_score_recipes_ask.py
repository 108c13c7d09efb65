"""The scores of votes count what they say they count."""

from __future__ import annotations

from socratic.pocket.score_recipes_ask import rows, voted
from socratic.recipes.ask_vote import Ballot, Voted


def vote(said: str, *ballots: tuple[str, str]) -> Voted:
    """A vote whose leading answer is the first one's."""
    return Voted("q", said, ballots[0][1], 0.5, tuple(Ballot(by, answer) for by, answer in ballots))


def test_each_way_and_the_vote_are_counted_against_the_truth() -> None:
    votes = [
        (vote("two", ("answerer", "two"), ("program", "2")), "two"),
        (vote("unknown", ("answerer", "cat"), ("program", "unknown")), "dog"),
        (vote("unknown", ("program", "yes"), ("answerer", "no")), "yes"),
        (vote("red", ("answerer", "red"), ("program", "unknown")), "blue"),
    ]
    told = {what.removeprefix("ask, "): value for what, _, value in rows(votes, "4 scenes")}
    assert told["answerer alone: right of all questions"] == 0.25
    assert told["program alone: right of all questions"] == 0.5
    assert told["program alone: right where it answers"] == 1.0
    assert told["vote: the leading answer is right, of all questions"] == 0.5
    assert told["vote: right where it answers"] == 0.5
    assert told["vote: share of questions from which it abstains"] == 0.5
    assert told["vote: the leading answer would have been wrong where it abstains"] == 0.5
    assert told["vote: the answerer alone is wrong where it abstains"] == 1.0


def test_an_unseen_scene_is_voted_on() -> None:
    told = voted(1)
    assert all(0 <= value <= 1 for _, _, value in told)
    assert {what for what, _, _ in told} >= {"ask, answerer alone: right of all questions", "ask, vote: right where it answers"}  # fmt: skip
    assert told[0][1].endswith("questions on 1 scenes")
