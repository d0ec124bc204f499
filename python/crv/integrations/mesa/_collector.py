"""The collector itself: Mesa's own, with other places for what it collects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import mesa

from crv.integrations.mesa._agents import Agents, AgentTypes
from crv.integrations.mesa._columns import table_name
from crv.integrations.mesa._recorder import Recorder, follow, record_left_behind
from crv.integrations.mesa._rows import Rows, Values
from crv.io import Dataset
from crv.io.errors import BadArgumentError

__all__ = ["CrvCollector"]

_Store = TypeVar("_Store", Rows, Agents)


class CrvCollector(mesa.DataCollector):  # type: ignore[misc]
    """A mesa.DataCollector that records into a run of crv: each step as one commit, once the next one is collected.

    Tables of the run, with `prefix` before their names, all with model.steps as `tick`:

        model            a row a call of collect(): `call`, its number, and the model reporters
        agents           a row an agent: `agent_id` and the agent reporters
        agents_<type>    the same for each type of agenttype_reporters, by the class name in lower_snake
        <name>           the rows of add_table_row, for each of `tables`, by its name in lower_snake

    The step of the last collect() stays in memory and may be changed there, as some models do. The next collect() of
    another step records it, and so do flush(), close(), the methods get_*, all that reads older steps, and the end of
    the program. Earlier steps are read from the run.
    """

    def __init__(
        self,
        dataset: Dataset,
        model_reporters: Mapping[str, Any] | None = None,
        agent_reporters: Mapping[str, Any] | None = None,
        agenttype_reporters: Mapping[type, Mapping[str, Any]] | None = None,
        tables: Mapping[str, Iterable[str]] | None = None,
        *,
        skip: Iterable[str] = (),
        prefix: str = "",
    ) -> None:
        """As mesa.DataCollector, and:

        dataset: the run. One collector a run, or each with a prefix of its own.
        skip: reporters, and columns of `tables`, that are left out altogether: those of values that crv cannot hold.
        """
        record_left_behind()
        self.dataset = dataset
        self._prefix = prefix
        self._skip = {skip} if isinstance(skip, str) else set(skip)
        by_type = (agenttype_reporters or {}).values()
        self._refuse_unknown_skips(model_reporters, agent_reporters, *by_type, *(tables or {}).values())
        self._model: Any = None
        self._recorder = Recorder(dataset)
        self._model_rows = self._added(Rows(self._recorder, self._table("model"), (), number="call"))
        self._agents = self._added(Agents(self._recorder, self._table("agents"), self._model_rows.ticks))
        self._types = AgentTypes()
        self._table_rows: dict[str, Rows] = {}
        super().__init__(model_reporters, agent_reporters, agenttype_reporters, tables)
        self._agent_records = self._agents
        self._agenttype_records = self._types
        follow(self, self._recorder)

    # ---- recording ----

    def collect(self, model: Any) -> None:
        """As Mesa's; first the step before is recorded, if this is another one.

        Raises IoSchemaError, with reporter and value in its facts, for a value that crv cannot hold; then nothing of
        this call is kept. Whatever Dataset.append_many raises is of the step before, which stays in memory.
        """
        record_left_behind()
        step = model.steps
        recorder = self._recorder
        if recorder.step is not None and recorder.step != step:
            recorder.flush(recorder.step)
        self._model = model
        with recorder.call():
            super().collect(model)
            self._model_rows.complete(step)
            for agents in self._stores_of_agents():
                agents.freeze(step)
        recorder.step = step
        for rows in self._table_rows.values():
            rows.date(step)
        for agents in self._stores_of_agents():
            agents.forget(step)

    def add_table_row(self, table_name: str, row: Mapping[str, Any], ignore_missing: bool = False) -> None:
        """As Mesa's. The row's tick is model.steps of now, or of the first collect() where none was yet."""
        rows = self._table_rows.get(table_name)
        if rows is None:
            super().add_table_row(table_name, row, ignore_missing)  # refuses it
            return
        held = {name: rows.held(name, row[name]) for name in self.tables[table_name] if name in row}
        with self._recorder.call():
            super().add_table_row(table_name, held, ignore_missing)
            rows.complete(None if self._model is None else self._model.steps, check=False)

    def flush(self) -> None:
        """Records what is in memory, as one commit. The last step may still be changed afterwards."""
        self._recorder.flush()

    def close(self) -> None:
        """Records what is in memory. The Dataset stays as it is: it is the caller's."""
        self.flush()

    # ---- frames: Mesa's own methods, over what is recorded ----

    def get_model_vars_dataframe(self) -> Any:
        """As Mesa's: a row a call, read from the run."""
        self.flush()
        return super().get_model_vars_dataframe()

    def get_agent_vars_dataframe(self) -> Any:
        """As Mesa's, read from the run."""
        self.flush()
        return super().get_agent_vars_dataframe()

    def get_agenttype_vars_dataframe(self, agent_type: type) -> Any:
        """As Mesa's, read from the run."""
        self.flush()
        return super().get_agenttype_vars_dataframe(agent_type)

    def get_table_dataframe(self, table_name: str) -> Any:
        """As Mesa's, read from the run."""
        self.flush()
        return super().get_table_dataframe(table_name)

    # ---- what Mesa calls for each reporter and table ----

    def _new_model_reporter(self, name: str, reporter: Any) -> None:
        if name not in self._skip:
            super()._new_model_reporter(name, reporter)
            self.model_vars[name] = self._model_rows.add_column(name)

    def _new_agent_reporter(self, name: str, reporter: Any) -> None:
        if name not in self._skip:
            super()._new_agent_reporter(name, reporter)
            self._agents.add_column(name)

    def _new_agenttype_reporter(self, agent_type: type, name: str, reporter: Any) -> None:
        if name in self._skip:
            return
        super()._new_agenttype_reporter(agent_type, name, reporter)
        if agent_type not in self._types.by_type:
            table = self._table("agents_" + agent_type.__name__)
            self._types.by_type[agent_type] = self._added(Agents(self._recorder, table, self._model_rows.ticks))
        self._types.by_type[agent_type].add_column(name)

    def _new_table(self, table_name: str, table_columns: Iterable[str]) -> None:
        super()._new_table(table_name, [name for name in table_columns if name not in self._skip])
        rows = self._added(Rows(self._recorder, self._table(table_name), self.tables[table_name]))
        self._table_rows[table_name] = rows
        self.tables[table_name] = {name: Values(rows, name) for name in self.tables[table_name]}

    # ---- helpers ----

    def _table(self, name: str) -> str:
        return table_name(self._prefix, name)

    def _added(self, store: _Store) -> _Store:
        self._recorder.add(store)
        return store

    def _stores_of_agents(self) -> list[Agents]:
        return [self._agents, *self._types.by_type.values()]

    def _refuse_unknown_skips(self, *reporters: Iterable[str] | None) -> None:
        known = {name for given in reporters for name in given or ()}
        for name in self._skip - known:
            raise BadArgumentError(f"skip names {name!r}, which is no reporter and no column", facts={"value": str(name)})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a copy, or of a model that was pickled: it goes on in the run, as long as its original does not."""
        self.__dict__.update(state)
        self._recorder.adopt()
        follow(self, self._recorder)
