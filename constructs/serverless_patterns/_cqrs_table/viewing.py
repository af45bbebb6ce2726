"""Adds views, totals and documents to a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Duration

from .._checks import Problems
from .documents import CqrsDocument
from .groups import Group
from .names import check_attribute
from .offering import Offering
from .projection import Projection
from .projector import Projector
from .roles import CONTRIBUTES, PROJECT, check_role
from .seen import Seen
from .sinks import check_sink, same_place
from .sources_read import check_sources_read
from .view_checks import check_document, check_keys, check_view
from .views import CqrsView
from .watching import projector_alarms

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_s3 as s3

    from .._interfaces import Bucket
    from ..data_api_sink import DataApiSink
    from ..handler import Handler
    from ..open_search_sink import OpenSearchSink
    from ..sql_sink import SqlSink
    from .roles import Role

_EVERY = Duration.seconds(10)


class Viewing(Offering):
    """A table, once it is defined."""

    def view(
        self,
        name: str,
        *,
        project: Handler,
        partition_key: str,
        sort_key: str | None = None,
        sort_key_type: dynamodb.AttributeType | None = None,
        sink: SqlSink | DataApiSink | OpenSearchSink | None = None,
    ) -> CqrsView:
        """Add a view: the rows that `project` makes of each aggregate's state.

        Args:
            name: Its items', tokens' and parked changes'. Data: never change it.
            project: Takes `(state)`, returns a list of rows, each a dict with the keys.
            partition_key: Member of each row, text: rows are queried by it.
            sort_key: Member of each row, by which they are ordered. No two rows have both keys in common.
            sort_key_type: `STRING` or `NUMBER`. Default: STRING.
            sink: Where rows are kept. Default: in a table of DynamoDB. Others are read there, and not by `query`.

        Raises:
            ValueError: with every argument that is wrong, what is allowed and the fix.
        """
        problems = self._problems("view", name)
        if sink is not None and check_role(problems, PROJECT, project):
            self._check_sink(problems, sink, project)
            problems.raise_any()
            project = sink.placed(project)
        self._check_view(problems, name, PROJECT, project, elsewhere=sink is not None)
        check_keys(problems, partition_key, sort_key, sort_key_type)
        problems.raise_any()
        number = sort_key_type is not None and sort_key_type.name == "NUMBER"
        seen = Seen(
            name=name,
            kind="rows",
            handler=project,
            partition_key=partition_key,
            sort_key=sort_key,
            number=number,
            sink=sink,
        )
        if sink is not None:
            self._defined.sinks[name] = sink
        return self._add(seen)

    def totals(self, name: str, *, contributes: Handler, group: str) -> CqrsView:
        """Add totals: sums over all aggregates, by group.

        Args:
            name: As of a view.
            contributes: Takes `(state)`, returns what this aggregate adds: by group, by measure, a number.
            group: What groups are known by, in answers and in paths, as `product_id`.

        Raises:
            ValueError: with every argument that is wrong, what is allowed and the fix.
        """
        problems = self._problems("totals", name)
        self._check_view(problems, name, CONTRIBUTES, contributes)
        check_attribute(problems, "group", group, "product_id")
        problems.raise_any()
        seen = Seen(name=name, kind="totals", handler=contributes, partition_key=group, sort_key=None, number=True)
        return self._add(seen)

    def document(
        self,
        name: str,
        *,
        sources: Sequence[CqrsView],
        build: Handler,
        every: Duration = _EVERY,
        bucket: Bucket | None = None,
    ) -> CqrsDocument:
        """Add a document: one JSON value, built from views when they have changed.

        Args:
            name: As of a view.
            sources: Views and totals of this table; `build` may read these.
            build: Takes `(sources)`, returns the document.
            every: 1 to 900 seconds: it is built no more often, and shows a change after this and a build.
            bucket: Where it is kept. Default: in DynamoDB, up to 390 KB.

        Raises:
            ValueError: with every argument that is wrong, what is allowed and the fix.
        """
        problems = self._problems("document", name)
        check_document(
            problems,
            self,
            self._defined.settings,
            name,
            sources,
            build,
            every,
            bucket,
            self._names(),
            self.views,
            self._defined.sinks,
        )
        if not problems.have("sources", "build"):
            kinds = {source.name: self._defined.readables[source.name].seen.kind for source in sources}
            check_sources_read(problems, build, kinds)
        problems.raise_any()
        assert self.projection is not None
        made = CqrsDocument(
            self,
            name,
            {source.name: self._defined.readables[source.name] for source in sources},
            build,
            every,
            cast("s3.IBucket | None", bucket),
            model=self._defined.model,
            projection=self.projection,
            key=self._defined.key,
            watch=self._defined.watch,
        )
        self.documents[name] = made
        return made

    def _problems(self, method: str, name: Any) -> Problems:
        return Problems(f"{self.node.path}.{method}({name!r})")

    def _names(self) -> Iterable[str]:
        return [*self.views, *self.documents]

    def _check_sink(self, problems: Problems, sink: Any, project: Handler) -> None:
        check_sink(problems, sink, project)
        for name, other in self._defined.sinks.items():
            what = same_place(sink, other)
            if what is not None:
                fix = f"give each view {'an' if what == 'index' else 'a'} {what} of its own"
                problems.add(f"sink {what}", "be another than that of any other view", f"that of {name!r}", fix)

    def _check_view(self, problems: Problems, name: Any, role: Role, handler: Any, *, elsewhere: bool = False) -> None:
        asked, settings = self._defined.model.asked, self._defined.settings
        projectors = [] if self.projection is None else self.projection.projectors
        groups = [Group(each.handler, [*each.views], each.elsewhere) for each in projectors]
        check_view(problems, self, asked, settings, name, role, handler, self._names(), groups, elsewhere=elsewhere)

    def _add(self, seen: Seen) -> CqrsView:
        defined = self._defined
        if self.projection is None:
            self.projection = Projection(self, defined.model, defined.settings, defined.key)
            wanted = self._of_projection(self.projection.control)
            self.alarms.update(defined.watch.define(self.projection, wanted, defined.settings))
        before = len(self.projection.projectors)
        view = CqrsView(self, seen, defined.model, self.projection, defined.secret, defined.key, defined.readables)
        for projector in self.projection.projectors[before:]:
            self._watch_projector(projector)
        self.views[seen.name] = view
        return view

    def _watch_projector(self, projector: Projector) -> None:
        assert self.projection is not None
        wanted = projector_alarms(projector.suffix, projector.function, projector.machine)
        scope = projector.function  # of its own: alarms warn once for each scope when they notify nobody
        self.alarms.update(self._defined.watch.define(scope, wanted, self._defined.settings))
