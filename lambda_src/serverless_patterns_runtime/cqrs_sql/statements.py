"""The SQL of views: one dialect, PostgreSQL's from version 12 on.

Rows go in as one JSON parameter, so that a batch is one statement, whatever the driver or the service.
"""

from typing import NamedTuple

from serverless_patterns_runtime.cqrs_sql.statement import Scalar, Statement

__all__ = ["Names", "Statements"]

_COLUMNS = 'pk, sk, source, version, deleted, mark, expires_at, "row"'
_READ = 'there.pk, CAST(there.sk AS text), there.source, there.version, there.mark, CAST(there."row" AS text)'
_SIZE = (
    'coalesce(octet_length(CAST(there."row" AS text)), 0) + coalesce(octet_length(there.pk), 0)'
    " + coalesce(octet_length(there.source), 0) + 1200"
)
_ORDER = "hashtext(there.pk), there.pk, there.sk"

LOCK_WAIT_SECONDS = 3
"""While a change of the SQL view waits for its readers, all later readers wait for it."""


class Names(NamedTuple):
    """Of what is in the database."""

    schema: str
    table: str

    def view(self) -> str:
        return f'"{self.schema}"."{self.table}"'

    def of(self, generation: int) -> str:
        return f'"{self.schema}"."{self.table}_g{generation}"'

    def index_of(self, generation: int, kind: str) -> str:
        return f'"{self.table}_g{generation}_{kind}"'


class Statements(NamedTuple):
    names: Names
    sort: str | None
    """`S` or `N`; None: the view has no sort key."""

    @property
    def sort_type(self) -> str:
        return "numeric" if self.sort == "N" else "text"

    # What there is.

    def make(self, generation: int) -> list[Statement]:
        """Table and indexes: by segments of the keys' hashes, and of tombstones by their end."""
        table, index = self.names.of(generation), self.names.index_of
        collated = self.sort_type if self.sort == "N" else 'text COLLATE "C"'  # in the order of bytes, as in DynamoDB
        texts = (
            f'CREATE TABLE IF NOT EXISTS {table} (pk text COLLATE "C" NOT NULL, sk {collated} NOT NULL,'
            " source text NOT NULL, version bigint NOT NULL, deleted boolean NOT NULL, mark text NOT NULL,"
            ' expires_at bigint, "row" jsonb, PRIMARY KEY (pk, sk))',
            f"CREATE INDEX IF NOT EXISTS {index(generation, 'parts')} ON {table} (hashtext(pk), pk, sk)",
            f"CREATE INDEX IF NOT EXISTS {index(generation, 'ends')} ON {table} (expires_at) WHERE deleted",
        )
        return [Statement(text, {}) for text in texts]

    def lock(self) -> Statement:
        """Of this view's definitions, until the transaction ends: two who make the same table would collide."""
        text = "SELECT pg_advisory_xact_lock(hashtextextended(CAST(:name AS text), 0)) IS NULL"
        return Statement(text, {"name": self.names.view()})

    def hurry(self) -> Statement:
        return Statement(f"SET LOCAL lock_timeout = '{LOCK_WAIT_SECONDS}s'", {})

    def described(self, name: str) -> Statement:
        """One row if there is such a table or view: its comment."""
        text = (
            "SELECT obj_description(found.oid, 'pg_class') FROM pg_class AS found"
            " WHERE found.oid = to_regclass(CAST(:name AS text))"
        )
        return Statement(text, {"name": name})

    def describe(self, kind: str, name: str, comment: str) -> Statement:
        quoted = comment.replace("'", "''")
        return Statement(f"COMMENT ON {kind} {name} IS '{quoted}'", {})

    def show(self, generation: int) -> Statement:
        sort = "" if self.sort is None else "sk, "
        return Statement(
            f'CREATE OR REPLACE VIEW {self.names.view()} AS SELECT pk, {sort}source, version, "row"'
            f" FROM {self.names.of(generation)} WHERE NOT deleted",
            {},
        )

    def drop(self, generation: int) -> Statement:
        """PostgreSQL refuses it while the SQL view shows this table."""
        return Statement(f"DROP TABLE IF EXISTS {self.names.of(generation)}", {})

    # Rows.

    def write(self, generation: int, changes: str) -> Statement:
        """Numbers of those that were not written. In the order of the keys: so two writers cannot deadlock."""
        table = self.names.of(generation)
        return Statement(
            f"WITH changes AS MATERIALIZED (SELECT * FROM {self._changes('n integer, ')}), written AS ("
            f"INSERT INTO {table} AS there ({_COLUMNS})"
            ' SELECT pk, sk, source, version, "row" IS NULL, mark, expires_at, "row" FROM changes'
            ' ORDER BY pk COLLATE "C", sk'
            " ON CONFLICT (pk, sk) DO UPDATE SET version = excluded.version, deleted = excluded.deleted,"
            ' mark = excluded.mark, expires_at = excluded.expires_at, "row" = excluded."row"'
            " WHERE there.source = excluded.source AND there.version < excluded.version"
            " RETURNING pk, sk)"
            " SELECT changes.n FROM changes LEFT JOIN written ON written.pk = changes.pk AND written.sk = changes.sk"
            " WHERE written.pk IS NULL ORDER BY changes.n",
            {"changes": changes},
        )

    def replace(self, generation: int, change: str, source: str, version: int, mark: str) -> Statement:
        return Statement(
            f"WITH replaced AS (UPDATE {self.names.of(generation)} AS there SET source = c.source, version = c.version,"
            ' deleted = c."row" IS NULL, mark = c.mark, expires_at = c.expires_at, "row" = c."row"'
            f" FROM {self._changes('')} WHERE there.pk = c.pk AND there.sk = c.sk AND there.deleted"
            " AND there.source = CAST(:source AS text) AND there.version = CAST(:version AS bigint)"
            " AND there.mark = CAST(:mark AS text) RETURNING 1) SELECT count(*) FROM replaced",
            {"changes": change, "source": source, "version": version, "mark": mark},
        )

    def read(self, generation: int, keys: str, most_bytes: int) -> Statement:
        """From number 0 on, as many as are no larger together, and one at least. One without `pk` is not there."""
        return Statement(
            f"SELECT found.* FROM (SELECT k.n, {_READ}, sum({_SIZE}) OVER (ORDER BY k.n) AS size"
            f" FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS k(n integer, pk text, sk {self.sort_type})"
            f" LEFT JOIN {self.names.of(generation)} AS there ON there.pk = k.pk AND there.sk = k.sk) AS found"
            " WHERE found.n = 0 OR found.size <= CAST(:most_bytes AS bigint) ORDER BY found.n",
            {"keys": keys, "most_bytes": most_bytes},
        )

    def page(
        self, generation: int, part: tuple[int, int], after: tuple[str, str] | None, most: int, most_bytes: int
    ) -> Statement:
        """Likewise, of a segment: of those whose hashes are in this range."""
        parameters: dict[str, Scalar] = {"low": part[0], "high": part[1], "most": most, "most_bytes": most_bytes}
        behind = ""
        if after is not None:
            parameters |= {"pk": after[0], "sk": after[1]}
            key = f"CAST(:pk AS text), CAST(:sk AS {self.sort_type})"
            behind = f" AND ({_ORDER}) > (hashtext(CAST(:pk AS text)), {key})"
        return Statement(
            f"SELECT found.* FROM (SELECT row_number() OVER (ORDER BY {_ORDER}) AS n, {_READ},"
            f" sum({_SIZE}) OVER (ORDER BY {_ORDER}) AS size FROM (SELECT * FROM {self.names.of(generation)} AS there"
            f" WHERE hashtext(there.pk) BETWEEN CAST(:low AS integer) AND CAST(:high AS integer){behind}"
            f" ORDER BY {_ORDER} LIMIT CAST(:most AS integer)) AS there) AS found"
            " WHERE found.n = 1 OR found.size <= CAST(:most_bytes AS bigint) ORDER BY found.n",
            parameters,
        )

    def purge(self, generation: int, now: int, most: int) -> Statement:
        """Tombstones whose time has ended."""
        table = self.names.of(generation)
        return Statement(
            f"WITH purged AS (DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table}"
            " WHERE deleted AND expires_at < CAST(:now AS bigint) ORDER BY expires_at LIMIT CAST(:most AS integer)"
            " FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM purged",
            {"now": now, "most": most},
        )

    def _changes(self, number: str) -> str:
        return (
            f"jsonb_to_recordset(CAST(:changes AS jsonb)) AS c({number}pk text, sk {self.sort_type}, source text,"
            ' version bigint, mark text, expires_at bigint, "row" jsonb)'
        )
