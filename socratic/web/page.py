"""The page itself: gradio's parts, how they stand, and which handler of `desk.py` each one calls. Decides nothing.

Only system fonts, no script or style from elsewhere; light and dark as the browser is set.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from socratic.web.guard import Uploads
from socratic.web.sessions import Sessions

CSS = files("socratic.web").joinpath("page.css").read_text(encoding="utf-8")
EXAMPLES = ("What is in the picture?", "Draw a lemon on a beach", "What can you do?")
EMPTY = "## What shall we look at?\nGive a picture with the clip, or drop it here. Ask what is in it, have things found and cut out, or have a new one drawn."
ROOM = "() => { if (window.innerWidth < 768) document.querySelector('#sidebar .toggle-button')?.click() }"
SURE = "(id) => id && window.confirm('Forget this session and its pictures?') ? id : null"


def theme() -> Any:
    """System fonts and quiet colours."""
    from gradio import themes

    fonts = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
    return themes.Soft(primary_hue="teal", neutral_hue="slate", font=fonts, font_mono=["ui-monospace", "monospace"])


def page(sessions: Sessions, uploads: Uploads) -> Any:
    """The page for the sessions of an assistant."""
    import gradio as gr

    from socratic.web.desk import Desk

    with gr.Blocks(title="socratic", analytics_enabled=False, delete_cache=(3600, 86400), fill_width=True) as blocks:
        parts = {"current": gr.State(""), "redone": gr.State(""), "watched": gr.State("")}
        _sidebar(gr, parts)
        with gr.Row(elem_id="columns"):
            with gr.Column(scale=6, min_width=320):
                _chat(gr, parts, str(sessions.assistant.bench.profile.get("note", "")))
            with gr.Column(scale=5, min_width=320), gr.Tabs():
                _pictures(gr, parts)
                _talk(gr, parts)
        _wire(blocks, parts, Desk(sessions, uploads, parts))
    blocks.queue(default_concurrency_limit=16)
    return blocks


def _sidebar(gr: Any, parts: dict[str, Any]) -> None:
    with gr.Sidebar(width=260, elem_id="sidebar"):
        gr.Markdown("# socratic")
        parts["new"] = gr.Button("New session", variant="primary", elem_id="new")
        parts["sessions"] = gr.Radio([], label="Sessions", elem_id="sessions", visible=False)
        parts["forget"] = gr.Button("Forget this session", size="sm", elem_id="forget", visible=False)
        gr.Markdown("Only this browser sees these sessions. They stay on this machine.", elem_classes="hint")


def _chat(gr: Any, parts: dict[str, Any], note: str) -> None:
    parts["chat"] = gr.Chatbot(
        elem_id="chat", show_label=False, height="calc(100dvh - 15rem)", min_height=320, layout="bubble", buttons=["copy"],
        placeholder=EMPTY, examples=[{"text": text} for text in EXAMPLES], latex_delimiters=[], allow_tags=False,
        group_consecutive_messages=True,
    )  # fmt: skip
    parts["notice"] = gr.Markdown(visible=False, elem_id="notice")
    parts["box"] = gr.MultimodalTextbox(
        elem_id="box", show_label=False, container=False, file_count="multiple", file_types=["image"], sources=["upload"],
        placeholder="Ask about a picture, or have one drawn", lines=1, max_lines=6, max_plain_text_length=20000,
    )  # fmt: skip
    with gr.Row(elem_id="under"):
        parts["undo"] = gr.Button("Undo last turn", size="sm", elem_id="undo", min_width=100, scale=0)
        parts["light"] = gr.Button("Light or dark", size="sm", elem_id="light", min_width=100, scale=0)
    if note:
        gr.Markdown(note[0].upper() + note[1:], elem_classes="hint")


def _pictures(gr: Any, parts: dict[str, Any]) -> None:
    from socratic.web.parts import LinkedImageSlider, LinkedRegions

    with gr.Tab("Pictures", id="pictures"):
        parts["gallery"] = gr.Gallery(
            elem_id="gallery", show_label=False, columns=2, height="auto", object_fit="contain", interactive=False,
            preview=False, allow_preview=True, buttons=["download", "fullscreen"], visible=False,
        )  # fmt: skip
        parts["lineage"] = gr.HTML("<p>The pictures of this session come here.</p>", elem_id="lineage")
    with gr.Tab("Found", id="found"):
        parts["looked"] = gr.Dropdown([], label="What was looked for", elem_id="looked", visible=False)
        parts["regions"] = LinkedRegions(elem_id="regions", show_label=False, visible=False)
        parts["none_found"] = gr.Markdown("What is found or cut out is marked here; hold the pointer over a name to see it alone.", elem_classes="hint")  # fmt: skip
    with gr.Tab("Compare", id="sides"):
        parts["pair"] = gr.Dropdown([], label="Which picture", elem_id="pair", visible=False)
        parts["slider"] = LinkedImageSlider(elem_id="slider", show_label=False, interactive=False, visible=False)
        parts["no_pair"] = gr.Markdown("When a picture is changed, you compare both here.", elem_classes="hint")


def _talk(gr: Any, parts: dict[str, Any]) -> None:
    with gr.Tab("Reasoning", id="talk"):
        parts["no_step"] = gr.Markdown("What the models say to each other stands here, sentence by sentence. You can change a sentence and run it again.", elem_classes="hint")  # fmt: skip
        parts["step"] = gr.Dropdown([], label="Step", elem_id="step", visible=False)
        parts["talk"] = gr.HTML("", elem_id="talk")
        with gr.Accordion("Change a sentence and run again", open=True, visible=False, elem_id="again") as again:
            parts["turn"] = gr.Dropdown([], label="Sentence", elem_id="turn")
            parts["words"] = gr.Textbox(label="Says", lines=2, max_lines=8, elem_id="words")
            with gr.Accordion("How it was asked", open=False):
                parts["asked"] = gr.Textbox(show_label=False, lines=3, max_lines=14, interactive=False, elem_id="asked")
            parts["rerun"] = gr.Button("Run again from here", variant="primary", elem_id="rerun")
        parts["again"] = again
        parts["compared"] = gr.HTML("", elem_id="compared")


def _wire(blocks: Any, parts: dict[str, Any], desk: Any) -> None:
    current, panes = parts["current"], desk.panes

    def on(event: Any, handler: Any, inputs: list[Any], outputs: list[Any], **more: Any) -> Any:
        # Only what takes long goes through gradio's queue: streams that open and close at the same time lose answers.
        settings = {"api_visibility": "private", "show_progress": "hidden", "queue": False, **more}
        return event(handler, inputs, outputs, **settings)

    for event, handler, inputs in (
        (parts["box"].submit, desk.say, [parts["box"], current]),
        (parts["chat"].option_select, desk.decide, [current]),
        (parts["watched"].change, desk.watch, [current]),
    ):
        on(on(event, handler, inputs, desk.all, queue=True).then, desk.refresh, [current], panes)
    for event, handler, inputs in (
        (blocks.load, desk.arrive, []),
        (parts["undo"].click, desk.undo, [current]),
        (parts["new"].click, desk.new, []),
        (parts["sessions"].input, desk.choose, [parts["sessions"]]),
    ):
        on(on(event, handler, inputs, desk.all).then, desk.refresh, [current], panes)
    gone = on(parts["forget"].click, desk.forget, [parts["sessions"]], desk.all, js=SURE)
    on(gone.then, desk.refresh, [current], panes)
    on(parts["box"].stop, desk.stop, [current], [parts["notice"]])
    on(parts["chat"].example_select, desk.example, [], [parts["box"]])
    blocks.load(None, None, None, js=ROOM, api_visibility="private")  # on a phone the list would cover the page
    parts["light"].click(None, None, None, js="() => { document.body.classList.toggle('dark') }", api_visibility="private")  # fmt: skip
    on(parts["gallery"].select, desk.lineage, [current], [parts["lineage"]])
    on(parts["looked"].input, desk.looked, [current, parts["looked"]], [parts["regions"]])
    on(parts["pair"].input, desk.pair, [current, parts["pair"]], [parts["slider"]])
    on(parts["step"].input, desk.step, [current, parts["step"]], desk.talking)
    on(parts["turn"].input, desk.turn, [current, parts["step"], parts["turn"]], [parts["words"], parts["asked"]])
    again = [current, parts["step"], parts["turn"], parts["words"]]
    done = on(parts["rerun"].click, desk.rerun, again, [parts["compared"], parts["notice"], parts["redone"]], queue=True, show_progress="minimal")  # fmt: skip
    on(done.then, desk.refresh_after, [current, parts["redone"]], panes)
