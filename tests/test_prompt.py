"""Prompt files: the shipped ones are sound and stay as published, strange files are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from prompt_cases import made

from socratic.errors import PromptError
from socratic.prompt import MAX_BYTES, lint, load, parse, shipped
from socratic.values import Message, Picture

# A published variant is not edited: whoever has results with it must find the same words again. Add a new file
# beside it (`caption.write.short.prompty`) and pin that one here as well.
PUBLISHED = {
    "assistant.system": "c0cc8810c1ec9313",
    "ask.captions": "f3e811f53a340063",
    "ask.captions.options": "640e4cea70f7dc5d",
    "ask.captions.shots": "442aa342ef37e2a4",
    "ask.follow_up": "f966cfcde3a4aac4",
    "ask.program": "71acb33393520261",
    "ask.rephrase": "0fa6aecf73be170b",
    "ask.settle": "24670b7dab8937ff",
    "ask.statement": "640fd39aba945ea4",
    "caption.ask": "5686661c1e1ca938",
    "caption.search": "16d88d84db7812fa",
    "caption.search.one": "6b6f1457b0328f6c",
    "caption.summary": "2870d60a84678cff",
    "caption.write": "46b0154e0d8b9bf3",
    "classify.attributes": "5749e76d6da00863",
    "classify.concept": "107100ad78d4130d",
    "classify.cupl": "0b184aa3094cb7b0",
    "classify.descriptors": "9a3e3e97d60cbeb0",
    "classify.guess": "7188b9d9d60917cf",
    "compare.differences": "fdd87f1bc642aec2",
    "describe.all": "3267492c0936cd3f",
    "describe.answer": "167fd89ff2d91b33",
    "describe.brief": "4367182e0d925a00",
    "describe.captions": "d826cb9722914bad",
    "describe.picture": "657e0bd62c893c31",
    "describe.words": "82a3646455a5f2c8",
    "experiment.reflect": "c6ef9e358dc18aec",
    "filter.fuse": "fa4ee3d66cee2b60",
    "generate.again": "7564b44d05007f04",
    "generate.change": "7abfc9ed6dd295fc",
    "generate.layout": "ce275b6e42cf95f5",
    "generate.rewrite": "78249424240ee319",
    "generate.rewrite.locked": "8a1eee572407ad24",
    "generate.turn": "4d3c1d6d01d6b058",
    "check.graph": "dad61933e7baef19",
    "judge.answer": "4565020e52d22a9d",
    "judge.pair": "93cd9761fd57201f",
    "retrieve.describe": "7411b659ab29a599",
    "video.answer": "24c1ec7bd0c99521",
    "video.caption": "6a4fe0ca905e7569",
    "video.choose": "c6078da2640fb085",
    "video.narrate": "9e6bd7533a6c0805",
    "video.shorten": "174e090189319015",
    "video.speech": "07dc19d78a39e67c",
    "video.summary": "cad76fcfd57013e1",
}

VALUES: dict[str, Any] = {
    "string": "a zebra",
    "number": 3,
    "boolean": True,
    "array": ["a zebra", "grass"],
    "object": {"a": "b"},
    "image": Picture.of(Image.new("RGB", (2, 2))),
}


def refused(raw: bytes | str) -> str:
    with pytest.raises(PromptError) as caught:
        parse(raw.encode() if isinstance(raw, str) else raw, "test.prompty")
    return str(caught.value)


HEAD = "---\nname: test\ndescription: A test.\n---\n"


def test_every_published_prompt_is_pinned() -> None:
    assert set(PUBLISHED) == set(shipped())


@pytest.mark.parametrize("name", shipped())
def test_a_published_body_stays_as_it_is(name: str) -> None:
    assert load(name).sha256.startswith(PUBLISHED[name])


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_prompt_is_named_after_its_file_and_lints_without_findings(name: str) -> None:
    prompt = load(name)
    assert prompt.name == name and lint(prompt) == []


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_prompt_renders_and_says_every_value(name: str) -> None:
    prompt = load(name)
    needed = {n: i.kind for n, i in prompt.header.inputs.items() if i.required}
    messages = prompt.render(**{n: VALUES[kind] for n, kind in needed.items()}).messages
    assert messages[0].role == "system" and messages[-1].role == "user"
    text = "\n".join(m.text for m in messages)
    assert "{{" not in text and "{category}" not in text
    assert ("a zebra" in text) == any(kind != "image" for kind in needed.values())
    assert any(m.pictures for m in messages) == ("image" in needed.values())


def test_a_prompt_is_loaded_by_path_or_by_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.prompty"
    file.write_text(HEAD + "user:\nHello", encoding="utf-8")
    assert load(file) == load(str(file)) and load(file).render().messages == (Message("user", "Hello"),)
    assert load("caption.write.prompty") is load("caption.write")


@pytest.mark.parametrize(
    ("name", "hint"), [("caption.writ", "caption.write"), ("zzz", "socratic prompts list"), ("../README", "")]
)
def test_an_unknown_name_is_an_error_with_near_ones(name: str, hint: str) -> None:
    with pytest.raises(PromptError, match="there is no prompt") as caught:
        load(name)
    assert hint in caught.value.hint


def test_a_file_that_is_missing_or_too_big_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="there is no prompt file"):
        load(tmp_path / "none.prompty")
    (tmp_path / "big.prompty").write_text(HEAD + "user:\n" + "x" * MAX_BYTES)
    with pytest.raises(PromptError, match=f"more than {MAX_BYTES} bytes"):
        load(tmp_path / "big.prompty")


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    plain = HEAD + "system:\nBe “short”.\nuser:\nHello\n"
    windows = b"\xef\xbb\xbf" + plain.replace("\n", "\r\n").encode()
    assert parse(windows, "p").render().messages == parse(plain.encode(), "p").render().messages
    assert parse(windows, "p").sha256 == parse(plain.encode(), "p").sha256


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"---\nname: \xff\n---\nuser:\nx", "not UTF-8: byte 10"),
        ((HEAD + "user:\nx").encode("utf-16"), "not UTF-8"),
        (b"", "front matter"),
        (b"user:\nHello", "front matter"),
        (b"---\nname: test\nuser:\nHello", "front matter"),
        (b"hello\n---\nname: test\ndescription: d\n---\nuser:\nHello", "front matter"),
    ],
)
def test_a_file_without_readable_front_matter_is_refused(raw: bytes, problem: str) -> None:
    assert problem in refused(raw)


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        ("name: x\ndescription: y\ncolour: red", "colour"),
        ("name: x\ndescription: y\nmodel: {heat: 1}", "model.heat"),
        ("name: x\ndescription: y\nmodel: {temperature: 3}", "model.temperature"),
        ("name: x\ndescription: y\nreply: {kind: poem}", "reply.kind"),
        ("name: x\ndescription: y\ninputs: {a: {kind: text}}", "inputs.a.kind"),
        ("name: x\ndescription: y\ninputs: {a: {kind: string, size: 3}}", "inputs.a.size"),
        ("name: x", "description"),
        ("description: y", "name"),
        ("name: no\ndescription: y", "name"),
        ("name: x\nname: z\ndescription: y", "line 2: repeated key name"),
        ("name: x\ndescription: y\ninputs:\n  a: {kind: string}\n  a: {kind: number}", "repeated key a"),
        ("name: &a x\ndescription: *a", "alias"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "alias"),
        ("name: !!python/object/apply:os.system [echo]\ndescription: y", "not YAML"),
        ("name: !!python/name:os.system\ndescription: y", "not YAML"),
        ("name: x\n\tdescription: y", "not YAML"),
        ("name: [x", "not YAML"),
        ("name: 'a\x00b'\ndescription: y", "not YAML"),
        ("name: x\ndescription: 2026-99-99", "not YAML"),
        ("name: x\ndescription: " + "[" * 20_000 + "]" * 20_000, "nested"),
        ("name: x\n" + "".join(" " * i + "a:\n" for i in range(300)), "nested"),
        ("- name\n- description", "mapping"),
        ("", "mapping"),
        ("1: x\nname: x\ndescription: y", "1"),
    ],
)  # fmt: skip
def test_front_matter_that_breaks_the_contract_is_refused(front: str, problem: str) -> None:
    assert problem in refused(f"---\n{front}\n---\nuser:\nHello")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("Hello", "must open with a role line"),
        ("", "must open with a role line"),
        ("Hello\nuser:\nHello", "must open with a role line"),
        ("system:\nHello", "no user: message"),
        ("user:\nHello\ntool:\nHello", "tool: is not a role"),
        ("user:\nHello\nDeveloper :\nHello", "developer: is not a role"),
        ("user:\n{{ question", "line 2"),
        ("user:\n{% for %}", "line 2"),
        ("user:\n{{ question }}", "'question' is used and not declared"),
        ("user:\n{{ 1 | shout }}", "shout"),
        ("user:\n{% include 'caption.write.prompty' %}", "stands alone"),
        ("user:\n{% if false %}{% import 'x' as x %}{% endif %}", "stands alone"),
        ("user:\n{% from 'x' import y %}", "stands alone"),
        ("{% extends 'x' %}\nuser:\nHello", "stands alone"),
        ("user:\n{{ " + "(" * 20_000, "nested"),
    ],
    ids=lambda text: text[:20],
)
def test_a_body_that_cannot_work_is_refused_when_it_is_loaded(body: str, problem: str) -> None:
    assert problem in refused(HEAD + body)


def test_what_is_doubtful_is_a_warning() -> None:
    prompt = parse(b"---\nname: x\ndescription: y\ninputs: {a: {kind: string}}\n---\nuser:\nHello", "x")
    assert lint(prompt) == [
        "warning: input 'a' is never used",
        "warning: input 'a' has no description",
        "warning: no source: say which paper or idea the prompt follows",
    ]


@given(st.binary(max_size=60), st.text(max_size=60), st.text(max_size=60))
@example(b"", "? [a]\n: b\n? [a]\n: c", "")
@example(b"", "name: !!bool x", "")
@example(b"", "name: !!int ''", "")
@example(b"", "{[]: 1}", "user:\n{{")
def test_whatever_the_bytes_a_file_is_a_prompt_or_a_prompt_error(raw: bytes, front: str, body: str) -> None:
    for content in (raw, f"---\n{front}\n---\n{body}".encode(), (HEAD + body).encode()):
        try:
            assert parse(content, "test.prompty").name
        except PromptError as error:
            assert "test.prompty" in str(error)


def test_a_prompt_file_names_its_reply_and_sampling() -> None:
    prompt = made("user:\nHello", more="reply: {kind: list, max_items: 3}\nmodel: {temperature: 0.5, max_tokens: 7}\n")
    assert (prompt.header.reply.kind, prompt.header.reply.max_items) == ("list", 3)
    assert json.loads(prompt.header.model.model_dump_json()) == {"temperature": 0.5, "max_tokens": 7}
