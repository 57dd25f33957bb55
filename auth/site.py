"""The gateway as those who sign for it name it: a message or a token for another site is worth nothing here."""

from dataclasses import dataclass
from urllib.parse import urlsplit

NAME, VERSION = "naap-gateway", "1"


@dataclass(frozen=True, slots=True)
class Site:
    """Where one logs in.

    `uri` is the gateway's public origin, like https://gateway.example; `domains` are the hosts whose pages may ask a
    wallet to sign in here (its own is always one of them); `chain_id` is the chain of the wallets (EIP-155).
    """

    uri: str
    chain_id: int
    domains: frozenset[str] = frozenset()

    @property
    def domain(self) -> str:
        """Its own host, with the port where it has one."""
        return urlsplit(self.uri).netloc

    def may_ask(self, domain: str) -> bool:
        """Whether a page of this host may ask a wallet to sign in here."""
        return domain == self.domain or domain in self.domains

    def is_here(self, uri: str) -> bool:
        """Whether this URI is of this gateway."""
        return uri == self.uri or uri.startswith(f"{self.uri}/")
