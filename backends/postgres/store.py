"""A store on a PostgreSQL server: its reads and its log."""

from collections.abc import Sequence

from backends.backend import LoggedEvent
from backends.postgres.contents import Contents
from backends.postgres.fact_log import FactLog
from backends.postgres.handle import Handle
from backends.postgres.migrate import migrate
from backends.postgres.options import OnStatement, Options
from backends.postgres.partitions import Partitions
from backends.postgres.pool import ReadPool
from backends.postgres.raw_log import RawLog
from backends.postgres.reads import Reads
from backends.postgres.session_log import SessionLog
from backends.postgres.statement_log import StatementLog

DEFAULTS = Options()


class PostgresStore(Reads, RawLog, StatementLog, SessionLog, FactLog, Contents):
    """A `Backend` and a `Log`. Any number of processes may read; the first that writes is the one writer."""

    name = "postgresql"

    def __init__(self, handle: Handle, pool: ReadPool, options: Options) -> None:
        partitions = Partitions(handle)
        Reads.__init__(self, pool, options.rows)
        RawLog.__init__(self, handle, partitions)
        StatementLog.__init__(self, handle)
        SessionLog.__init__(self, handle)
        FactLog.__init__(self, handle, partitions)
        Contents.__init__(self, handle)

    def pending(self, limit: int) -> Sequence[LoggedEvent]:
        # Whoever asks begins anew: another process may have written meanwhile.
        self.forget_senders()
        self._partitions.forget()
        return super().pending(limit)

    async def close(self) -> None:
        """Let go of every connection. Closing again does nothing."""
        self._pool.close()
        self._handle.close()


def open_postgres(
    url: str,
    options: Options = DEFAULTS,
    on_statement: OnStatement | None = None,
) -> PostgresStore:
    """Open the store in a database, making its tables where they are missing or older.

    Raises StoreUnavailable where that cannot be done; StoreInUse is raised by the first write, where another writes.
    """
    migrate(url, options)
    return PostgresStore(Handle(url, options, on_statement), ReadPool(url, options, on_statement), options)
