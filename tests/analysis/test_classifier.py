from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_processor.analysis.classifier.analyser import LocalClassifier
from ticket_processor.analysis.classifier.storage import (
    DESCRIPTION,
    MOST_FORMER,
    ClassifierUnusable,
    Description,
    NotTrained,
    Task,
    check,
    put_back,
    read_description,
    read_weights,
    version,
    write,
)
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.text.redact import RedactedText, redact
from ticket_processor.core.errors import AnalysisFailed, ConfigError, how_to_install
from ticket_processor.core.models import Analysis, Sentiment, Urgency
from ticket_processor.core.taxonomy import Category, Taxonomy
from ticket_processor.evaluation.data import Example
from ticket_processor.evaluation.scores import score

from ..support.lazy import Lazy

if TYPE_CHECKING:
    from ticket_processor.evaluation.fitting import Trained

np = Lazy("numpy")
features = Lazy("ticket_processor.analysis.classifier.features")
learners = Lazy("ticket_processor.evaluation.learners")

# Names and words of which the keyword rules know nothing.
WORDS = {
    "alpha": "zinnia tulip begonia primrose lupin".split(),
    "alpha_one": "spade trowel rake hoe dibber".split(),
    "beta": "skillet saucepan colander whisk ladle".split(),
    "rest": "walrus heron badger otter lynx".split(),
}
FILLER = "yesterday somebody moved those around our place while others looked".split()
MOODS = {Sentiment.POSITIVE: "vermilion", Sentiment.NEGATIVE: "ochre"}
HASTE = {Urgency.HIGH: "gallop", Urgency.LOW: "amble"}
TAXONOMY = Taxonomy(
    categories=(
        Category(name="alpha", description="Kind a."),
        Category(name="alpha_one", description="Kind a, number one.", parent="alpha"),
        Category(name="beta", description="Kind b.", priority_floor=Urgency.MEDIUM),
        Category(name="rest", description="Anything."),
    ),
    fallback="rest",
)
RULES = RulesAnalyser(TAXONOMY)


def invented(count: int, seed: int = 0) -> list[Example]:
    """Tickets whose labels follow from their words."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        category = rng.choice(list(WORDS))
        mood, haste = rng.choice(list(MOODS)), rng.choice(list(HASTE))
        words = rng.sample(WORDS[category], 2) + rng.sample(FILLER, 4) + [MOODS[mood], HASTE[haste]]
        rng.shuffle(words)
        body = " ".join(words)
        found.append(Example(id=f"t{number}", body=body, category=category, urgency=haste, sentiment=mood))
    return found


TRAINING, UNSEEN = invented(160, 1), invented(60, 2)


class Oracle(RulesAnalyser):
    """Rules that know ``known`` of every ticket of ``examples``, and are wrong about the rest."""

    def __init__(self, examples: list[Example], known: set[Task]) -> None:
        super().__init__(TAXONOMY)
        self._truth = {learners.text_of(example).text: example for example in examples}
        self._known = known

    def analyse(self, text: RedactedText) -> Analysis:
        truth, analysis = self._truth[text.text], RULES.analyse(text)
        assert truth.category is not None
        top, below = TAXONOMY.split(truth.category)
        right: dict[Task, dict[str, object]] = {
            "category": {"category": top, "subcategory": below},
            "urgency": {"urgency": truth.urgency},
            "sentiment": {"sentiment": truth.sentiment},
        }
        wrong = {"category": "rest", "subcategory": None, "urgency": Urgency.MEDIUM, "sentiment": Sentiment.NEUTRAL}
        update = {name: value for task in self._known for name, value in right[task].items()}
        return analysis.model_copy(update={**wrong, **update})

    def analyse_with_points(self, text: RedactedText) -> tuple[Analysis, dict[str, float], float]:
        return self.analyse(text), {}, 0.0


def learn(examples: list[Example], rules: RulesAnalyser = RULES, **options: Any) -> Trained:
    from ticket_processor.evaluation.fitting import train

    tasks: tuple[Task, ...] = options.pop("tasks", ("category", "urgency", "sentiment"))
    corpus = learners.corpus_of(examples)
    options = {"source": "a test", "trained_at": "2026-11-21T00:00:00Z", "own_desk": True} | options
    return train(corpus, TAXONOMY, rules, tasks=tasks, **options)


def stored(folder: Path, trained: Trained) -> Path:
    write(folder, trained.description, trained.content)
    return folder


@pytest.fixture(scope="module")
def trained() -> Trained:
    return learn(TRAINING)


@pytest.fixture
def folder(tmp_path: Path, trained: Trained) -> Path:
    return stored(tmp_path / "classifier", trained)


@pytest.fixture(scope="module")
def classifier(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> LocalClassifier:
    return LocalClassifier.load(stored(tmp_path_factory.mktemp("classifier"), trained), TAXONOMY, RULES)


# --- what it learns --------------------------------------------------------------------------------------------------


def test_it_learns_categories_moods_and_haste_that_no_rule_knows(classifier: LocalClassifier) -> None:
    analyses = [classifier.analyse(learners.text_of(example)) for example in UNSEEN]
    assert {analysis.source for analysis in analyses} == {"classifier"}
    tops = [TAXONOMY.split(example.category or "")[0] for example in UNSEEN]
    assert score(tops, [analysis.category for analysis in analyses]).macro_f1 > 0.95
    moods = [str(example.sentiment) for example in UNSEEN]
    assert score(moods, [analysis.sentiment for analysis in analyses]).macro_f1 > 0.95


def test_urgency_is_never_below_the_floor_of_the_rules(folder: Path) -> None:
    class Alarmed(RulesAnalyser):
        def analyse_with_points(self, text: RedactedText) -> tuple[Analysis, dict[str, float], float]:
            analysis, points, urgency = super().analyse_with_points(text)
            return analysis.model_copy(update={"alarms": ("safety",)}), points, urgency

    found = LocalClassifier.load(folder, TAXONOMY, Alarmed(TAXONOMY)).analyse(redact("zinnia tulip amble"))
    assert found.urgency is Urgency.HIGH


def test_a_text_without_a_known_word_is_left_to_the_rules(classifier: LocalClassifier) -> None:
    for text in ("", "  ", "ᚠᚢᚦ"):
        with pytest.raises(AnalysisFailed, match="classifier_knows_no_word"):
            classifier.analyse(redact(text))


# --- what it must not keep -------------------------------------------------------------------------------------------


def test_no_personal_data_reaches_the_vocabulary(tmp_path: Path) -> None:
    private = "write to jane.roe@example.com or call +49 30 901820 about order 48151623"
    examples = [example.model_copy(update={"body": f"{example.body} {private}"}) for example in TRAINING]
    alone = examples[0].model_copy(update={"body": examples[0].body + " Quetzalcoatl"})
    description = write(tmp_path, (result := learn([alone, *examples[1:]])).description, result.content)
    weights = read_weights(tmp_path / description.weights)
    grams = [gram for part in ("words", "pieces") for gram in weights[part]["grams"].split("\n")]
    assert len(grams) > 100
    assert "_email_" in grams
    for secret in ("jane", "roe@", "9018", "4815", "1623", "quetz", "email_1", "phone_1"):
        assert not [gram for gram in grams if secret in gram], secret


@given(st.text(max_size=300))
def test_a_plain_form_holds_no_long_number(text: str) -> None:
    form = features.plain_form(text)
    longest = max((len(part) for part in "".join(c if c.isdigit() else " " for c in form).split()), default=0)
    assert longest < 4 or "0000" in form
    assert features.plain_form(form) == form


# --- when it is used -------------------------------------------------------------------------------------------------


def test_a_classifier_that_beats_the_rules_at_nothing_is_refused(tmp_path: Path) -> None:
    rules = Oracle(TRAINING, {"category", "urgency", "sentiment"})
    folder = stored(tmp_path, learn(TRAINING, rules))
    with pytest.raises(ClassifierUnusable, match="no better than the rules"):
        LocalClassifier.load(folder, TAXONOMY, rules)


def test_categories_that_left_the_taxonomy_make_it_unusable(folder: Path) -> None:
    smaller = Taxonomy(categories=tuple(c for c in TAXONOMY.categories if c.name != "beta"), fallback="rest")
    with pytest.raises(ClassifierUnusable, match=r"no longer has, or .* \(beta\)"):
        LocalClassifier.load(folder, smaller, RulesAnalyser(smaller))


@pytest.mark.parametrize(("name", "parent"), [("alpha_one", "beta"), ("alpha_one", None), ("beta", "rest")])
def test_a_category_that_moved_since_training_makes_it_unusable(folder: Path, name: str, parent: str | None) -> None:
    moved = Taxonomy(
        categories=tuple(
            item.model_copy(update={"parent": parent}) if item.name == name else item for item in TAXONOMY.categories
        ),
        fallback="rest",
    )
    with pytest.raises(ClassifierUnusable, match=rf"under another one .*{name}.*: train again"):
        LocalClassifier.load(folder, moved, RulesAnalyser(moved))


def test_with_few_tickets_the_rules_answer_however_well_it_did() -> None:
    from ticket_processor.evaluation.fitting import summary_text

    result = learn(TRAINING[:60])
    assert {task: learnt.macro_f1 > 0.8 for task, learnt in result.description.tasks.items()}["sentiment"]
    assert result.description.used == ("category",)
    assert "sentiment will not be used: it takes 120 labelled tickets, and there are 60" in summary_text(
        result, bench=False
    )


def test_what_a_fold_is_tested_with_is_learnt_from_the_other_tickets_alone() -> None:
    texts = [f"invoice {word} was wrong in {word}" for word in ("alpha", "bravo", "carol", "delta", "eager")] * 2
    texts += ["the invoice came twice", "an invoice came late", "zulu only here", "zulu and there"]
    part = np.arange(0, len(texts), 2)
    whole = features.learn_text(texts)
    idf = [fitted.idf_ for _, fitted in whole.transformer_list]
    found = learners.as_learnt_from(part, whole.transform(texts), idf)
    alone = features.learn_text([texts[at] for at in part])
    wanted, at = alone.transform(texts), 0
    for (_, fitted), (_, fresh) in zip(whole.transformer_list, alone.transformer_list, strict=True):
        names, kept = list(fitted.get_feature_names_out()), list(fresh.get_feature_names_out())
        block = found[:, at : at + len(names)].toarray()
        assert set(np.flatnonzero(block.any(axis=0))) == {names.index(name) for name in kept}
        begin = 0 if at == 0 else len(alone.transformer_list[0][1].idf_)
        same = wanted[:, begin : begin + len(kept)].toarray()
        np.testing.assert_allclose(block[:, [names.index(name) for name in kept]], same, rtol=1e-4, atol=1e-6)
        at += len(names)


@pytest.mark.slow
def test_what_was_learnt_on_another_desk_is_refused(tmp_path: Path) -> None:
    foreign = stored(tmp_path / "foreign", learn(TRAINING, own_desk=False))
    with pytest.raises(ClassifierUnusable, match="nobody said are of this helpdesk"):
        LocalClassifier.load(foreign, TAXONOMY, RULES)
    own = stored(tmp_path / "own", learn(TRAINING, account="one.example.com"))
    assert "one.example" not in (own / DESCRIPTION).read_text(encoding="utf-8")
    for account in (None, "one.example.com", "ONE.example.com"):
        assert LocalClassifier.load(own, TAXONOMY, RULES, account)._description.used
    with pytest.raises(ClassifierUnusable, match="another helpdesk's tickets"):
        LocalClassifier.load(own, TAXONOMY, RULES, "two.example.com")


def test_words_of_an_outage_yield_to_a_classifier_that_knows_better(tmp_path: Path) -> None:
    class Alarmed(RulesAnalyser):
        def __init__(self, alarm: str) -> None:
            super().__init__(TAXONOMY)
            self._alarm = alarm

        def analyse_with_points(self, text: RedactedText) -> tuple[Analysis, dict[str, float], float]:
            analysis, points, urgency = super().analyse_with_points(text)
            return analysis.model_copy(update={"alarms": (self._alarm,)}), points, urgency

    for alarm, expected in (("outage", Urgency.LOW), ("security", Urgency.HIGH)):
        rules = Alarmed(alarm)
        result = learn(TRAINING, rules, tasks=("category", "urgency"))
        assert result.description.tasks["urgency"].outage_floor is (alarm != "outage")
        trusted = result.description.model_copy(
            update={
                "tasks": {
                    task: learnt.model_copy(update={"used": True}) for task, learnt in result.description.tasks.items()
                }
            }
        )
        write(tmp_path / alarm, trusted, result.content)
        classifier = LocalClassifier.load(tmp_path / alarm, TAXONOMY, rules)
        assert classifier.analyse(redact("zinnia tulip amble")).urgency is expected


def test_when_there_is_nothing_to_learn_each_task_says_why() -> None:
    unlabelled = [item.model_copy(update={"sentiment": None, "category": "gamma"}) for item in TRAINING[:12]]
    with pytest.raises(ConfigError) as caught:
        learn([item.model_copy(update={"urgency": Urgency.LOW}) for item in unlabelled])
    reasons = " ".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "no ticket has a label" in reasons
    assert "none of the taxonomy's categories" in reasons
    assert "at least 5 different tickets" in reasons


# --- what it refuses to open -----------------------------------------------------------------------------------------


class Bomb:
    """Runs code when a pickle of it is read."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self._target,)


def replace_weights(folder: Path, content: bytes) -> None:
    """Other weights, and a description that fits them, as an attacker would."""
    path = folder / DESCRIPTION
    data = json.loads(path.read_text(encoding="utf-8"))
    (folder / data["weights"]).write_bytes(content)
    data["sha256"] = hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(data), encoding="utf-8")


def current_weights(folder: Path) -> Path:
    return next(folder.glob("weights-*.skops"))


def foreign_files(folder: Path, target: Path) -> Iterator[tuple[str, bytes]]:
    import skops.io
    from sklearn.feature_extraction.text import TfidfVectorizer

    yield "a pickle", pickle.dumps(Bomb(target))
    yield "another estimator", skops.io.dumps({"category": {"model": TfidfVectorizer()}})
    yield "a function", skops.io.dumps({"features": {"f": np.mean}})
    yield "an array of objects", skops.io.dumps({"features": {"idf": np.array([object, "x"], dtype=object)}})
    yield "nothing", b""
    yield "text", b"PK\x03\x04 not really"
    yield "half", current_weights(folder).read_bytes()[:-200]
    path = folder / "changed.zip"
    with zipfile.ZipFile(current_weights(folder)) as archive, zipfile.ZipFile(path, "w") as changed:
        for entry in archive.infolist():
            text = archive.read(entry)
            if entry.filename == "schema.json":
                schema = json.loads(text)
                schema["content"]["x"] = {
                    "__class__": "system",
                    "__module__": "os",
                    "__loader__": "FunctionNode",
                    "content": {"module_path": "os", "function": "system"},
                }
                text = json.dumps(schema).encode()
            changed.writestr(entry.filename, text)
    yield "our own with a function in it", path.read_bytes()


def test_foreign_files_are_refused_and_nothing_in_them_runs(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "ran"
    kinds = 0
    for kind, content in list(foreign_files(folder, target)):
        replace_weights(folder, content)
        with pytest.raises(ClassifierUnusable, match="train again") as caught:
            LocalClassifier.load(folder, TAXONOMY, RULES)
        assert len(caught.value.problems) == 1, kind
        assert not target.exists(), kind
        kinds += 1
    assert kinds == 8
    pickle.loads(pickle.dumps(Bomb(target)))
    assert target.exists(), "the bomb is a dud"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_damaged_it_answers_or_says_so(data: st.DataObject, folder: Path) -> None:
    original = current_weights(folder).read_bytes()
    content = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    replace_weights(folder, bytes(content))
    try:
        LocalClassifier.load(folder, TAXONOMY, RULES).analyse(redact("zinnia tulip"))
    except (ClassifierUnusable, AnalysisFailed):
        pass
    finally:
        replace_weights(folder, original)


LEARN_AGAIN = "another version of ticketbot: learn it again with 'ticketbot train'"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda path: path.unlink(), "there is no classifier in"),
        (lambda path: path.write_text("{", encoding="utf-8"), "damaged"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "damaged"),
        (lambda path: path.write_text(path.read_text().replace('"format": 3', '"format": 2')), LEARN_AGAIN),
        (lambda path: path.write_text(path.read_text().replace('"rows"', '"lines"', 1)), LEARN_AGAIN),
        (lambda path: path.write_text(path.read_text().replace('"weights-', '"../weights-')), "damaged"),
        (lambda path: current_weights(path.parent).unlink(), "missing"),
    ],
)
def test_a_damaged_folder_gives_one_sentence(folder: Path, change: Callable[[Path], object], sentence: str) -> None:
    change(folder / DESCRIPTION)
    with pytest.raises(ClassifierUnusable, match=sentence) as caught:
        LocalClassifier.load(folder, TAXONOMY, RULES)
    assert len(str(caught.value).splitlines()) == 1
    assert isinstance(caught.value, NotTrained) == ("no classifier" in sentence)


def an_untrained_model() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.pop("category"),
        lambda content: content["category"].update(model=an_untrained_model()),
        lambda content: content["category"].update(model=content["words"]["idf"]),
        lambda content: content["words"].update(idf=content["words"]["idf"][1:]),
    ],
)
def test_weights_of_another_shape_fail_the_ticket_and_not_the_run(
    folder: Path, trained: Trained, spoil: Callable[[dict[str, Any]], object]
) -> None:
    content = {part: dict(named) for part, named in trained.content.items()}
    spoil(content)
    write(folder, trained.description, content)
    with pytest.raises(AnalysisFailed, match="classifier_unusable"):
        LocalClassifier.load(folder, TAXONOMY, RULES).analyse(redact("zinnia tulip"))


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps access lists instead")
def test_nobody_else_can_read_what_was_learnt(folder: Path) -> None:
    assert [path.stat().st_mode & 0o077 for path in folder.iterdir()] == [0, 0]


def test_without_the_extra_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skops", None)
    with pytest.raises(ClassifierUnusable, match=re.escape(f"needs skops: {how_to_install('ml')}")):
        LocalClassifier.load(folder, TAXONOMY, RULES)


# --- methods and confidence ------------------------------------------------------------------------------------------


def softmax(scores: Any) -> Any:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def test_confidence_means_what_it_says() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(6000, 4)) * 6
    targets = np.array([rng.choice(4, p=share / share.sum()) for share in softmax(scores / 4)])
    shares, group_of = softmax(scores), np.arange(4)  # four times too sure
    confidence = learners.confidence_of(
        learners.learn_confidence(shares[:3000], targets[:3000], group_of), shares[3000:], group_of
    )
    answers = features.decide(shares[3000:], group_of)[0]
    gold = [str(target) for target in targets[3000:]]
    ece = score(gold, [str(answer) for answer in answers], list(confidence)).ece
    raw = score(gold, [str(answer) for answer in answers], list(shares[3000:].max(axis=1))).ece
    assert ece is not None
    assert raw is not None
    assert ece < 0.03 < raw


# --- former classifiers -----------------------------------------------------------------------------------------------


def store(folder: Path, number: int, *, keep_former: bool = True) -> str:
    description = Description(
        ticketbot="0", trained_at="", rows=number, source="a test", taxonomy=("general",), tasks={}
    )
    write(folder, description, {"features": {"idf": np.full(3, number)}}, keep_former=keep_former)
    return version(folder)


def test_the_former_one_is_put_back_with_its_weights_and_so_is_the_one_before(tmp_path: Path) -> None:
    first, second, third = (store(tmp_path, number) for number in range(3))
    put_back(tmp_path, second, third)
    assert version(tmp_path) == second
    put_back(tmp_path, second, third)  # a second time changes nothing
    put_back(tmp_path, first, second)
    assert read_description(tmp_path).rows == 0
    assert check(tmp_path, read_description(tmp_path)).is_file()
    put_back(tmp_path, "", first)
    assert version(tmp_path) == ""


def test_only_the_last_few_are_kept_and_an_older_one_is_not_half_put_back(tmp_path: Path) -> None:
    made = [store(tmp_path, number) for number in range(MOST_FORMER + 3)]
    assert len([*tmp_path.glob("former-*.json")]) == MOST_FORMER
    assert len([*tmp_path.glob("weights-*.skops")]) == MOST_FORMER + 1
    with pytest.raises(ConfigError, match="no longer"):
        put_back(tmp_path, made[0], made[-1])
    assert version(tmp_path) == made[-1]
    assert {path.name[:6] for path in tmp_path.iterdir()} == {"former", "weight", "classi"}
