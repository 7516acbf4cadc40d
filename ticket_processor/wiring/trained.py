"""The classifier of a site, where one was trained."""

from __future__ import annotations

from collections.abc import Callable

from ..analysis.chain import Analyser
from ..analysis.rules.analyser import RulesAnalyser
from ..settings.schema import Settings
from ..state.sqlite import is_there


def trained_classifier(
    settings: Settings, rules: RulesAnalyser, trouble: Callable[[str], object] = lambda _sentence: None
) -> Analyser | None:
    """The classifier that ``ticketbot train`` made, if it is there, wanted and usable."""
    folder = settings.classifier_folder
    if not settings.use_classifier or not is_there(folder):
        return None
    from ..analysis.classifier.analyser import LocalClassifier
    from ..analysis.classifier.storage import ClassifierUnusable, NotTrained, read_description

    try:
        if not read_description(folder).used:
            return None  # it beat the rules at nothing, which 'ticketbot train' has said
        return LocalClassifier.load(folder, settings.taxonomy, rules, settings.account)
    except NotTrained:
        return None
    except ClassifierUnusable as error:
        trouble(f"{error}; the rules do its work")
        return None
