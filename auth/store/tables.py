"""What is kept of logins. Times are whole Unix seconds; sets are texts with spaces between; nothing secret is kept as
it is, only its SHA-256."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, MetaData, String, Table

METADATA = MetaData()

# What all processes share: the secret that nonces are signed with.
SECRETS = Table(
    "auth_secrets", METADATA, Column("name", String(32), primary_key=True), Column("value", String(64), nullable=False)
)

USED_NONCES = Table(
    "auth_used_nonces",
    METADATA,
    Column("nonce", String(64), primary_key=True),
    Column("expires_s", BigInteger, nullable=False, index=True),
)

# One login and everything that is renewed from it.
SESSIONS = Table(
    "auth_sessions",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("wallet", String(42), nullable=False),
    Column("scopes", String(512), nullable=False),
    # The orchestrator that it acts for and none else; null: itself, and all who allow it the scopes.
    Column("orchestrator", String(42)),
    Column("created_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False, index=True),
    Column("revoked_s", BigInteger),
)

REFRESH_TOKENS = Table(
    "auth_refresh_tokens",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("session", ForeignKey(SESSIONS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_s", BigInteger, nullable=False),
    Column("used_s", BigInteger),
)

DELEGATIONS = Table(
    "auth_delegations",
    METADATA,
    # The digest that was signed: the same delegation is one row, also once it is revoked.
    Column("id", String(64), primary_key=True),
    Column("orchestrator", String(42), nullable=False, index=True),
    Column("delegate", String(42), nullable=False, index=True),
    Column("scopes", String(512), nullable=False),
    Column("issued_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False, index=True),
    Column("revoked_s", BigInteger),
)

# Machine tokens and API keys.
TOKENS = Table(
    "auth_tokens",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    # Of an API key's secret; a signed token needs none.
    Column("hash", String(64)),
    Column("scopes", String(512), nullable=False),
    Column("orchestrators", String(4096), nullable=False),
    Column("gateways", String(4096), nullable=False),
    Column("operator", Boolean, nullable=False),
    Column("created_s", BigInteger, nullable=False),
    Column("expires_s", BigInteger, nullable=False),
    Column("revoked_s", BigInteger),
    Column("last_used_s", BigInteger),
    Index("auth_tokens_by_name", "name"),
)
