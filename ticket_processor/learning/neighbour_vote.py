"""A link of the chain for sites without a model: approved examples of similar tickets choose the category."""

from __future__ import annotations

from ..analysis.chain import Analyser
from ..analysis.text.redact import RedactedText
from ..core.errors import AnalysisFailed
from ..core.models import Analysis
from ..core.taxonomy import Taxonomy
from .neighbours import ExampleIndex


class NeighbourVote:
    """An analyser whose category is the similar examples' own; all else is ``rest``'s. Thread-safe."""

    name = "neighbours"

    def __init__(self, index: ExampleIndex, rest: Analyser, taxonomy: Taxonomy) -> None:
        self._index = index
        self._rest = rest
        self._taxonomy = taxonomy

    def analyse(self, text: RedactedText) -> Analysis:
        """The analysis. ``confidence`` is the share of the weight of similar examples that speak for the category.

        Raises :class:`AnalysisFailed` where too few examples are similar, or they do not agree.
        """
        found = self._index.opinion(text.text, self._taxonomy)
        if found is None:
            raise AnalysisFailed("neighbours_disagree")
        analysis = self._rest.analyse(text)
        same = analysis.category == found.category
        subcategory = found.subcategory or (analysis.subcategory if same else None)
        return analysis.model_copy(
            update={
                "category": found.category,
                "subcategory": subcategory,
                "secondary": tuple(name for name in analysis.secondary if name != found.category),
                "urgency": self._taxonomy.at_least_floor(subcategory or found.category, analysis.urgency),
                "evidence": analysis.evidence if same else (),
                "confidence": found.share,
                "examples": found.ids,
                "source": "neighbours",
            }
        )
