"""Word lists: how they are read, put into sentences, ranked, and thinned out, with planted vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from doubles import ScriptedEmbedder, hash_vector, unit
from hypothesis import given
from hypothesis import strategies as st

from socratic.errors import BadInput, SocraticError
from socratic.tool import operation
from socratic.values import Space, Vector
from socratic.vocabulary import article, clean_labels, filled, load_words, rank, text_matrix, without_synonyms

A = "a photo of a {}."


def words(tmp_path: Path, content: bytes) -> tuple[str, ...]:
    (tmp_path / "words.txt").write_bytes(content)
    return load_words(str(tmp_path / "words.txt"))


def test_a_word_list_has_one_name_per_line_with_synonyms_and_comments(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf# animals\ndog, domestic dog\n\n  cat  # meows\r\nhot dog\ndog\nna\xc3\xafve caf\xc3\xa9\n,nothing\n"
    assert words(tmp_path, content) == ("dog", "cat", "hot dog", "naïve café")


@pytest.mark.parametrize("content", [b"", b"# only a comment\n\n", b"dog\n\xff\n"])
def test_a_list_without_names_or_in_another_encoding_is_bad_input(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadInput, match=r"words\.txt"):
        words(tmp_path, content)


def test_a_missing_list_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load_words(str(tmp_path))


def test_labels_are_stripped_and_kept_once_in_order() -> None:
    assert clean_labels([" dog", "cat", "", "dog ", "Dog"]) == ("dog", "cat", "Dog")
    for empty in ([], ["", "  "]):
        with pytest.raises(BadInput, match="no labels"):
            clean_labels(empty)


@pytest.mark.parametrize(
    ("template", "name", "text"),
    [
        (A, "zebra", "a photo of a zebra."),
        (A, "owl", "a photo of an owl."),
        (A, "Ibis", "a photo of an Ibis."),
        ("A {} in a field.", "owl", "An owl in a field."),
        ("a {}", "owl", "an owl"),
        ("(a {})", "owl", "(an owl)"),
        ("the USA {}", "owl", "the USA owl"),
        ("extra {}", "owl", "extra owl"),
        ("the {}, a {}", "owl", "the owl, an owl"),
        ("{}", "owl", "owl"),
        ("a {}", "{} in braces", "a {} in braces"),
    ],
)
def test_a_name_is_filled_in_with_its_article(template: str, name: str, text: str) -> None:
    assert filled(template, name) == text


@given(st.text("abcdefghijklmnopqrstuvwxyz ", min_size=1).filter(str.strip))
def test_the_article_follows_the_first_letter(noun: str) -> None:
    assert filled("a {}", noun) == f"{article(noun)} {noun}"
    assert (article(noun) == "an") == noun.startswith(("a", "e", "i", "o", "u"))


def planted(**vectors: Sequence[float]) -> ScriptedEmbedder:
    return ScriptedEmbedder({filled(A, name): vector for name, vector in vectors.items()}, space=Space(10.0))


def test_names_are_ranked_by_the_cosine_of_their_sentence() -> None:
    embedder = planted(zebra=(0, 1), owl=(1, 0), dog=(1, 1))
    ranking = rank(embedder, unit((3, 4)), ["zebra", "owl", "dog"], A)
    assert ranking.labels == ("dog", "zebra", "owl")
    assert ranking.scores == pytest.approx((7 / 50**0.5, 0.8, 0.6))
    assert ranking.probabilities == pytest.approx(Space(10.0).probabilities(ranking.scores))


def test_the_texts_of_a_list_are_embedded_once() -> None:
    embedder = planted(zebra=(0, 1), owl=(1, 0), dog=(1, 1))
    for _ in range(3):
        rank(embedder, unit((3, 4)), ["zebra", "owl"], A)
    assert embedder.calls["embed_text"].items == 2 and embedder.calls["embed_text"].forwards == 1
    rank(embedder, unit((3, 4)), ["owl", "zebra"], A)
    assert embedder.calls["embed_text"].items == 4
    other = planted(zebra=(1, 0), owl=(0, 1))
    assert rank(other, unit((3, 4)), ["zebra", "owl"], A).best == "owl", "another embedder has its own matrix"


def test_a_matrix_has_a_unit_row_per_text_in_order() -> None:
    texts = [f"text {i}" for i in range(70)]
    matrix = text_matrix(ScriptedEmbedder(), texts)
    assert matrix.shape == (70, 32) and matrix.dtype == np.float32
    assert all(np.array_equal(row, hash_vector(text)) for row, text in zip(matrix, texts, strict=True))


class ShortTower(ScriptedEmbedder):
    """Reads eight characters."""

    @operation()
    def embed_text(self, texts: Sequence[str]) -> list[Vector | SocraticError]:
        return [hash_vector(t) if len(t) <= 8 else BadInput(f"{t!r} is longer than the tower reads") for t in texts]


def test_a_text_that_is_too_long_is_bad_input_and_nothing_is_kept_of_it() -> None:
    tower = ShortTower()
    for _ in range(2):
        with pytest.raises(BadInput, match="'very long zebra' is longer"):
            text_matrix(tower, ["zebra", "very long zebra"])
    assert text_matrix(tower, ["zebra"]).shape == (1, 32)


def test_a_name_too_close_to_one_above_it_is_dropped() -> None:
    # cosines: sofa-couch 0.98, couch-bench 0.84, sofa-bench 0.71
    embedder = planted(sofa=(1, 0), couch=(0.98, 0.199), bench=(1, 1), lamp=(0, 1))
    names = ["sofa", "couch", "bench", "lamp"]
    assert without_synonyms(embedder, names, A, 0.95) == ["sofa", "bench", "lamp"]
    assert without_synonyms(embedder, names[::-1], A, 0.95) == ["lamp", "bench", "couch"], "the first one stays"
    assert without_synonyms(embedder, names, A, 0.8) == ["sofa", "bench", "lamp"], "couch is gone and drops nobody"
    assert without_synonyms(embedder, names, A, 0.5) == ["sofa", "lamp"]
    assert without_synonyms(embedder, [], A, 1.0) == []


def test_a_threshold_of_one_keeps_even_equal_vectors() -> None:
    longer = next(v for i in range(999) if float((v := hash_vector(str(i), 3)) @ v) > 1)  # by rounding
    embedder = ScriptedEmbedder({text: [float(x) for x in longer] for text in ("sofa", "couch")})
    assert without_synonyms(embedder, ["sofa", "couch"], "{}", 1.0) == ["sofa", "couch"]
