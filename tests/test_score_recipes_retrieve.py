"""The score of composed retrieval: its queries are what they say. They are drawn only when the score is taken."""

from __future__ import annotations

from collections import Counter

from socratic.pocket.score_recipes_retrieve import FIRST_SEED, swaps


def test_each_query_swaps_one_thing_and_no_neighbour_shows_the_same_as_its_target() -> None:
    for query in swaps(100):
        target, reference, *others = (Counter(t.name for t in scene.things) for scene in query.scenes)
        assert reference == query.reference.counts and reference[query.old] and not reference[query.new]
        assert not target[query.old] and target[query.new] == reference[query.old]
        assert target - Counter({query.new: 4}) == reference - Counter({query.old: 4}), "the rest stays"
        assert all(other != target for other in (reference, *others)) and all(len(s.things) <= 4 for s in query.scenes)
        assert {s.place for s in query.scenes} == {query.reference.place}
        assert others[1][query.old] and others[1][query.new], "one neighbour shows both"
    assert min(s.seed for q in swaps(3) for s in q.scenes) == FIRST_SEED
