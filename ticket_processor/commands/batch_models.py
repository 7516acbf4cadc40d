"""The models of the list whose servers take batches."""

from __future__ import annotations

from contextlib import ExitStack

from ..analysis import ModelLink, Understanding
from ..batch_answers import BatchModel
from ..chat_server import server_for
from ..clock import Deadline
from ..errors import ConfigError
from ..openai_batch import BatchApi
from ..presets import ModelTarget, targets
from ..rules import RulesAnalyser
from ..settings import Settings
from ..wiring import model_analyser


class BatchModels:
    """Made as they are asked for; ``stack`` closes their connections. ``chain`` has a link for each model."""

    def __init__(self, settings: Settings, deadline: Deadline, chain: Understanding, stack: ExitStack) -> None:
        self._settings = settings
        self._deadline = deadline
        self._links = {link.name: link for link in chain.links if isinstance(link, ModelLink)}
        self._stack = stack
        self._targets = {target.name: target for target in targets(settings.models)}
        self._apis: dict[str, BatchApi] = {}
        self._made: dict[str, BatchModel] = {}

    def first(self) -> BatchModel:
        """The first of the list whose server takes batches. Raises :class:`ConfigError` when none does."""
        refusals = []
        for name, target in self._targets.items():
            why = self._api(target).why_not()
            if why is None:
                return self.named(name)
            refusals.append(f"{name} ({why.replace('_', ' ')})")
        raise ConfigError(
            f"--batch-api: no model's server takes batches: {', '.join(refusals)}; leave the option out to ask directly"
        )

    def named(self, name: str) -> BatchModel:
        """The model of this name. Raises :class:`ConfigError` when the settings have none."""
        if name not in self._made:
            target = self._targets.get(name)
            if target is None:
                raise ConfigError(
                    f"a batch is under way at the model {name}, which models.names (or TICKETBOT_MODELS) does not "
                    "name: put it back until the batch is collected"
                )
            server = server_for(target, self._deadline.remaining)
            self._stack.callback(server.close)
            rules = RulesAnalyser(self._settings.taxonomy, self._settings.entities)
            analyser = model_analyser(server, target, self._settings, rules)
            self._made[name] = BatchModel(target, server, analyser, self._links[name], self._api(target))
        return self._made[name]

    def _api(self, target: ModelTarget) -> BatchApi:
        if target.name not in self._apis:
            self._apis[target.name] = BatchApi(target, self._deadline)
            self._stack.callback(self._apis[target.name].close)
        return self._apis[target.name]
