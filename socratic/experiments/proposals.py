"""What an optimiser asks of an experiment: scores of a wording on some items, and a better wording from what went wrong.

`Adapter` has the shape that gepa wants (gepa.core.adapter.GEPAAdapter). Wordings are run through the runner like any
variant. What a writer proposes is data: a wording that is no drop-in for the old one is refused, and the writer is told.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from socratic import sections
from socratic.ask import Question, ask_all
from socratic.capability import Writer
from socratic.errors import BadInput, ModelUnavailable, PromptError, SocraticError
from socratic.experiments import edits
from socratic.experiments.spec import Limits, Spec
from socratic.experiments.values import Item, Metric, Results, Trial
from socratic.prompt import Prompt, load
from socratic.template import ROLE_LINE, smuggled
from socratic.transcript import Transcript, key_of

REFLECT = "experiment.reflect"
TRIES = 3
LONGEST = 20_000
_SHOWN_ROLE = re.compile(r"^[ \t]*=== *(system|user|assistant) *===[ \t]*$", re.MULTILINE | re.IGNORECASE)
_FENCED = re.compile(r"^```[^\n`]*\n(.*?)\n?^```[ \t]*$", re.DOTALL | re.MULTILINE)
_MOST_TOLD = 1500
Candidate = dict[str, str]


@dataclass(frozen=True)
class Target:
    """What is worded anew: a prompt, or one section of it, in the place of an experiment.

    Attributes:
        section: its name; empty for the whole body.
    """

    spec: Spec
    place: edits.Slot
    section: str = ""

    @property
    def component(self) -> str:
        return self.section or "body"

    @property
    def seed(self) -> Candidate:
        """The words as they are, which is where the search begins."""
        prompt = self.place.prompt
        if self.section and self.section not in prompt.sections:
            prompt.without(self.section)  # says which sections there are
        return {self.component: prompt.sections[self.section] if self.section else prompt.body}

    def prompt(self, candidate: Mapping[str, str]) -> Prompt:
        """The prompt with a candidate's words.

        Raises:
            PromptError: they are no drop-in for the old ones.
        """
        text, old = candidate[self.component], self.place.prompt
        if len(text) > LONGEST:
            raise PromptError(f"it has more than {LONGEST} characters", hint="be shorter")
        if self.section and (ROLE_LINE.search(text) or "{#" in text):
            raise PromptError("it opens a message or a section", hint="reply with the words of the section alone")
        body = sections.replaced(old.body, self.section, text.strip("\n")) if self.section else text
        return edits.reworded(old, body)


@dataclass
class Adapter:
    """Runs and words candidates for gepa. Not a gepa class, so that nothing is imported before it is used.

    Attributes:
        folder: where the runs of candidates are kept, so that a resumed search runs none again.
        refused: why proposals were refused, all of them.
    """

    target: Target
    items: Mapping[str, Item]
    metric: str
    writer: Writer
    folder: Path
    run: Callable[[Spec, Path], Results]
    refused: list[str] = field(default_factory=list)
    asked: int = 0
    fault: SocraticError | None = None
    measured: Metric | None = None

    def evaluate(self, batch: Sequence[str], candidate: Candidate, capture_traces: bool = False) -> Any:
        """The score of each item with the candidate's words, more being better, as gepa wants it."""
        from gepa.core.adapter import EvaluationBatch

        if self.fault:
            raise self.fault
        results = self.scored(batch, candidate)
        trials = {key: [t for t in results.trials.values() if t.cell.item == key] for key in batch}
        scores = [self._score(results, trials[key]) for key in batch]
        traces = [{"item": key, "trials": trials[key], "score": s} for key, s in zip(batch, scores, strict=True)]
        return EvaluationBatch(outputs=[""] * len(batch), scores=scores, trajectories=traces if capture_traces else None)  # fmt: skip

    def scored(self, batch: Sequence[str], candidate: Mapping[str, str]) -> Results:
        """A run of the items with one wording."""
        prompt = self.target.prompt(candidate)
        files = edits.written({"candidate": prompt}, self.folder / "wordings")
        spec = edits.of_wordings(self.target.spec, self.target.place, files, self.target.spec.name)
        chosen = {key: self.items[key] for key in dict.fromkeys(batch)}
        spec = edits.of_items(spec, chosen).model_copy(update={"budget": Limits()})
        return self.run(spec, self.folder / "runs" / key_of(prompt.version, sorted(chosen))[:16])

    def _score(self, results: Results, trials: Sequence[Trial]) -> float:
        """The mean over repeats; where a scorer says nothing, the worst score there is."""
        metric = results.metrics[self.metric or results.primary]
        self.measured = metric
        worst = metric.least if metric.up else metric.most
        found = [results.scores[metric.name].get(t.cell) for t in trials]
        if any(s is None for s in found) and not math.isfinite(worst):
            raise BadInput(f"{metric.name} says nothing of {trials[0].cell.item}", hint="optimise by a metric that scores every item")  # fmt: skip
        told = [worst if s is None else s for s in found]
        mean = math.fsum(told) / len(told)
        return mean if metric.up else -mean

    def make_reflective_dataset(self, candidate: Candidate, eval_batch: Any, components_to_update: Sequence[str]) -> dict[str, list[dict[str, Any]]]:  # fmt: skip
        """What was said and how it was judged, the worst first; of items that could not be better only if all are."""
        traces = sorted(eval_batch.trajectories, key=lambda trace: trace["score"])
        failures = [t for t in traces if t["score"] < self.best] or traces
        told = [{"example": self._told(t["trials"][0], t["score"])} for t in failures]
        return {name: told for name in components_to_update}

    @property
    def best(self) -> float:
        """The best score that gepa can see; infinite where the metric has none, or none is known yet."""
        metric = self.measured
        return math.inf if metric is None else metric.most if metric.up else -metric.least

    def _told(self, trial: Trial, score: float) -> str:
        item, name = self.items[trial.cell.item], self.target.place.prompt.name
        asked = [t.get("asked", "") for t in trial.transcript.get("turns", ()) if t.get("prompt") == name]
        rows = {
            "asked": asked[0] if asked else "",
            "said": trial.said or (trial.error or {}).get("message", ""),
            "score": f"{score if self.measured is None or self.measured.up else -score:.3g}",
            "known of the picture": {k: v for k, v in item.fields.items() if k not in ("key", "group", "seed")},
        }
        return "\n".join(f"{name}: {harmless(value)[:_MOST_TOLD]}" for name, value in rows.items() if value)

    def propose_new_texts(self, candidate: Candidate, reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]], components_to_update: Sequence[str]) -> Candidate:  # fmt: skip
        """Better words by the writer; none where it proposed nothing that can stand in the place of the old ones."""
        (name,) = components_to_update
        examples = [str(row["example"]) for row in reflective_dataset[name]]
        measured = f"{self.measured.name}: {self.measured.about}" if self.measured else self.metric
        problems: list[str] = []
        for _ in range(TRIES):
            self.asked += 1
            try:
                text = self._proposed(candidate[name], measured, examples, problems)
                self.target.prompt({name: text})
                if text == candidate[name]:
                    raise PromptError("it is the old text", hint="change it")
                return {name: text}
            except ModelUnavailable as error:  # gepa goes on after errors of proposals, and this one stays
                self.fault = error
                raise
            except PromptError as error:
                problems = [harmless(error.message + (f"; {error.hint}" if error.hint else ""))]
                self.refused.append(problems[0])
            except SocraticError as error:  # asking the same again would fail again
                self.refused.append(harmless(f"the writer failed: {error.message}"))
                break
        return {}

    def _proposed(self, text: str, measured: str, examples: Sequence[str], problems: Sequence[str]) -> str:
        values = {"text": shown(text), "measured": harmless(measured), "examples": list(examples), "problems": list(problems)}  # fmt: skip
        return read(_asked(self.writer, values, self.asked))

    def get_adapter_state(self) -> dict[str, Any]:
        return {"refused": list(self.refused), "asked": self.asked}

    def set_adapter_state(self, state: Mapping[str, Any]) -> None:
        self.refused, self.asked = list(state.get("refused", ())), int(state.get("asked", 0))


def _asked(writer: Writer, values: Mapping[str, Any], seed: int) -> str:
    """One reply; the seed keeps proposals apart that are asked for in the same words."""
    (answer,) = ask_all(Transcript("optimise"), writer, load(REFLECT), [Question("proposal", values, seed)])
    if isinstance(answer, SocraticError):
        raise answer
    return str(answer)


def shown(text: str) -> str:
    """A body as a value of another prompt: its role lines must not open messages there."""
    return ROLE_LINE.sub(lambda m: f"=== {m[1].lower()} ===", text)


def read(reply: str) -> str:
    """The words of a reply: what stands between ``` lines where there are some, with role lines as prompts have them."""
    fenced = _FENCED.findall(reply)
    text = max(fenced, key=len) if fenced else reply
    return _SHOWN_ROLE.sub(lambda m: f"{m[1].lower()}:", text).strip("\n")


def harmless(value: Any) -> str:
    """Text of strangers on one line, without anything that would open a message."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = json.dumps(text, ensure_ascii=False)[1:-1].replace("</example>", "< /example>").replace("```", "'''")
    text = "".join(c if c.isprintable() else " " for c in text)
    while found := smuggled(text):
        text = text.replace(found, " ".join(found))
    return text
