"""The local classifier: what ``ticketbot train`` learnt from the site's own tickets, asked before the keyword rules.

It answers only what it has proved to know better than the rules, on tickets it had not seen; the rest of the
analysis is theirs. Nothing leaves the process, and nothing is imported until there is a ticket to understand.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...core.errors import AnalysisFailed
from ...core.models import Analysis, Sentiment, Urgency
from ...core.taxonomy import Taxonomy
from ..rules.alarms import INCIDENTS
from ..rules.analyser import RulesAnalyser
from ..text.redact import RedactedText
from .storage import (
    TASKS,
    ClassifierUnusable,
    Description,
    Task,
    account_digest,
    check,
    read_description,
    read_weights,
    require_extra,
)

if TYPE_CHECKING:
    from .features import Ints, Matrix

_ALSO_FROM = 0.2
"""A category with at least this share of the softmax is worth naming as a secondary one."""

_MOST_EVIDENCE = 3


class Prediction(NamedTuple):
    """One task's answer. ``confidence`` is calibrated: of answers at 0.8, about four in five are right.

    ``also`` are other labels that come near, best first. ``evidence`` are words of the ticket that speak for it.
    """

    label: str
    confidence: float
    also: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Learnt:
    """One task's fitted models, and the labels of its first level with which of them each label belongs to.

    ``model`` and ``confidence`` are scikit-learn's: the shares of the labels, and how likely the answer is right.
    """

    model: Any
    confidence: Any
    groups: tuple[str, ...]
    group_of: Ints


@dataclass(frozen=True)
class _Loaded:
    """The models in memory; ``text`` is scikit-learn's ``FeatureUnion``, ``words`` its first columns."""

    text: Any
    words: tuple[str, ...]
    tasks: dict[Task, _Learnt]


class LocalClassifier:
    """Category, sub-category, urgency and sentiment as learnt from labelled tickets. Thread-safe.

    Make one with :meth:`load`. The weights are read when the first ticket comes, so an idle run costs nothing.
    """

    def __init__(self, folder: Path, description: Description, taxonomy: Taxonomy, rules: RulesAnalyser) -> None:
        self._folder = folder
        self._description = description
        self._taxonomy = taxonomy
        self._rules = rules
        self._weights = check(folder, description)
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    @classmethod
    def load(
        cls, folder: Path, taxonomy: Taxonomy, rules: RulesAnalyser, account: str | None = None
    ) -> LocalClassifier:
        """The classifier in ``folder``, for a site with these categories and the helpdesk ``account``.

        Raises ``NotTrained`` when there is none, and :class:`ClassifierUnusable` when its files are damaged, foreign
        or from another version, when it learnt from another helpdesk's tickets or categories that the taxonomy no
        longer has or has under another one, when it beats the rules at nothing, or when the extra ``ml`` is not
        installed.
        """
        description = read_description(folder)
        if not description.own_desk:
            raise ClassifierUnusable(
                f"the classifier in {folder} learnt from files that nobody said are of this helpdesk: "
                "train again with --own-desk if they are"
            )
        if account and description.account not in ("", account_digest(account)):
            raise ClassifierUnusable(f"the classifier in {folder} learnt from another helpdesk's tickets: train again")
        labels = description.tasks["category"].labels if "category" in description.tasks else ()
        # How sure an answer is was learnt for the categories of the first level.
        tops = dict(zip(labels, description.tops, strict=False))
        moved = [name for name in labels if name not in taxonomy.names or taxonomy.split(name)[0] != tops.get(name)]
        if moved:
            raise ClassifierUnusable(
                f"the classifier in {folder} has learnt categories that the taxonomy no longer has, or has under "
                f"another one ({', '.join(moved)}): train again"
            )
        if not description.used:
            raise ClassifierUnusable(f"the classifier in {folder} is no better than the rules at anything: not used")
        require_extra("sklearn", "skops")
        return cls(folder, description, taxonomy, rules)

    def analyse(self, text: RedactedText) -> Analysis:
        """The analysis of ``text``; tasks at which the rules are as good come from the rules.

        ``confidence`` is that of the category. Urgency never falls below the floors of named incidents and of the
        category. Raises :class:`AnalysisFailed` for a text without a word it knows, or when the weights cannot be read.
        """
        analysis, found = self.predict(text, self._description.used)
        urgency = analysis.urgency
        update: dict[str, object] = {"source": "classifier"}
        if "category" in found:
            best = found["category"]
            label = with_subcategory(best.label, analysis, self._description.tasks["category"].labels)
            category, subcategory = self._taxonomy.split(label)
            update |= {
                "category": category,
                "subcategory": subcategory,
                "secondary": best.also,
                "confidence": best.confidence,
                "evidence": best.evidence or analysis.evidence,
            }
        else:
            category, subcategory = analysis.category, analysis.subcategory
        if "urgency" in found:
            urgency = Urgency(found["urgency"].label)
            if has_floor(analysis, outage=self._description.tasks["urgency"].outage_floor):
                urgency = min(urgency, Urgency.HIGH, key=list(Urgency).index)
        update["urgency"] = self._taxonomy.at_least_floor(subcategory or category, urgency)
        if "sentiment" in found:
            update["sentiment"] = Sentiment(found["sentiment"].label)
        return analysis.model_copy(update=update)

    def predict(self, text: RedactedText, tasks: tuple[Task, ...] = TASKS) -> tuple[Analysis, dict[Task, Prediction]]:
        """The rules' analysis and the learnt answers to ``tasks``, from one pass of the rules.

        Raises :class:`AnalysisFailed` for a text without a word it knows, or when the weights cannot be read.
        """
        from .features import beside, rules_features

        loaded = self._ready()
        row = loaded.text.transform([text.text])
        if not row.nnz:
            raise AnalysisFailed("classifier_knows_no_word")
        analysis, points, urgency = self._rules.analyse_with_points(text)
        found: dict[Task, Prediction] = {}
        for task in tasks:
            if task in loaded.tasks:
                more = rules_features(task, analysis, points, urgency, self._description.taxonomy)
                found[task] = self._predict(loaded, task, beside(row, more[None, :]))
        return analysis, found

    def _predict(self, loaded: _Loaded, task: Task, row: Matrix) -> Prediction:
        import numpy as np

        from .features import certainty, decide

        learnt = loaded.tasks[task]
        labels, groups = decide(learnt.model.predict_proba(row), learnt.group_of)
        label = self._description.tasks[task].labels[labels[0]]
        confidence = round(float(learnt.confidence.predict_proba(certainty(groups))[0, 1]), 3)
        if task != "category":
            return Prediction(label, confidence)
        order = (-groups[0]).argsort()[1:3]
        also = tuple(learnt.groups[at] for at in order if groups[0, at] >= _ALSO_FROM)
        coef = learnt.model.coef_
        weights = coef if len(coef) > 1 else np.vstack((-coef, coef))
        # How far each column pulls towards the label, compared to the labels on average.
        pull = row.toarray()[0] * (weights[labels[0]] - weights.mean(axis=0))
        strongest = (
            (loaded.words[at], pull[at]) for at in (-pull[: len(loaded.words)]).argsort()[: 4 * _MOST_EVIDENCE]
        )
        evidence = tuple(word for word, force in strongest if force > 0 and word.isalpha())[:_MOST_EVIDENCE]
        return Prediction(label, confidence, also, evidence)

    def _ready(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                try:
                    self._loaded = _read(self._weights, self._description, self._taxonomy)
                except ClassifierUnusable as error:
                    raise AnalysisFailed("classifier_unusable", str(error)) from None
            return self._loaded


def with_subcategory(label: str, analysis: Analysis, labels: Collection[str]) -> str:
    """``label``, or the rules' sub-category of it where that is none of the learnt ``labels``."""
    below = analysis.subcategory
    return below if below is not None and below not in labels and analysis.category == label else label


def has_floor(analysis: Analysis, *, outage: bool) -> bool:
    """Whether the words of a ticket forbid an urgency below high: those of an incident, with ``outage`` of one too."""
    return not (INCIDENTS if outage else INCIDENTS - {"outage"}).isdisjoint(analysis.alarms)


def _read(path: Path, description: Description, taxonomy: Taxonomy) -> _Loaded:
    import numpy as np

    from .features import PIECES, WORDS, beside, certainty, decide, groups_of, text_from, vote

    content = read_weights(path)
    try:
        text = text_from({part: content[part] for part in (WORDS, PIECES) if part in content})
        fitted = dict(text.transformer_list)
        words = tuple(fitted[WORDS].get_feature_names_out()) if WORDS in fitted else ()
        numbers = [part.idf_ for part in fitted.values()]
        tasks: dict[Task, _Learnt] = {}
        for task, learnt in description.tasks.items():
            one = _Learnt(**content[task], **groups_of(task, learnt.labels, taxonomy)._asdict())
            blank = beside(text.transform([""]), vote(task, learnt.labels[0], description.taxonomy)[None, :])
            shares = one.model.predict_proba(blank)
            if shares.shape != (1, len(learnt.labels)):
                raise ValueError("the weights do not fit the labels")
            sure = one.confidence.predict_proba(certainty(decide(shares, one.group_of)[1]))
            if sure.shape != (1, 2) or one.confidence.coef_.shape != (1, 1 + len(one.groups)):
                raise ValueError("the confidence does not fit the groups of labels")
            numbers += [part for model in (one.model, one.confidence) for part in (model.coef_, model.intercept_)]
            tasks[task] = one
        if not all(np.isfinite(part).all() for part in numbers):
            raise ValueError("there are weights that are no numbers")
    except Exception:  # noqa: BLE001 - whatever parts that do not fit do to scikit-learn, it means the same
        raise ClassifierUnusable(f"{path} is damaged: train again") from None
    return _Loaded(text, words, tasks)
