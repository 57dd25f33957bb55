"""Configured regions and test gateways: a versioned JSON file, named by NAAP_REGIONS.

{"version": "2026-01", "testers": ["0x…"],
 "regions": {"fra": {"name": "Frankfurt", "gateways": ["0x…", "name"], "uris": ["https://…"]}}}
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from metrics.errors import BadRequest
from telemetry.names import gateway, uri


@dataclass(frozen=True, slots=True)
class Regions:
    """Which region a gateway or a service URI stands in, and which gateways only test."""

    version: str = "none"
    names: Mapping[str, str] = field(default_factory=dict)
    by_gateway: Mapping[str, str] = field(default_factory=dict)
    by_uri: Mapping[str, str] = field(default_factory=dict)
    testers: frozenset[str] = frozenset()

    def of(self, stated: str, gateway_id: str | None, place: str) -> str | None:
        """The region: the stated one, else the gateway's, else the URI's, else None."""
        return stated or self.by_gateway.get(gateway_id or "") or self.by_uri.get(place) or None

    @classmethod
    def load(cls, path: str | Path | None) -> "Regions":
        """Read the file; no path gives no regions. Raises BadRequest with what is wrong where."""
        if path is None:
            return cls()
        try:
            return cls.of_config(json.loads(Path(path).read_text(encoding="utf-8")))
        except OSError as error:
            raise BadRequest(f"NAAP_REGIONS: {path} cannot be read: {error.strerror}.", "NAAP_REGIONS") from error
        except (ValueError, AttributeError, TypeError) as error:
            raise BadRequest(
                f'NAAP_REGIONS: {path} must hold {{"version": …, "regions": {{id: {{"name", "gateways", "uris"}}}}}}.',
                "NAAP_REGIONS",
            ) from error

    @classmethod
    def of_config(cls, config: Mapping[str, object]) -> "Regions":
        """Regions from the parsed file. Raises TypeError or AttributeError where it has another shape."""
        regions = config.get("regions") or {}
        testers = config.get("testers") or []
        if not isinstance(regions, Mapping) or not isinstance(testers, list):
            raise TypeError("regions is a map, testers a list")
        return cls(
            version=str(config.get("version", "none")),
            names={str(key): str(said.get("name") or key) for key, said in regions.items()},
            by_gateway={gateway(one): key for key, said in regions.items() for one in said.get("gateways") or []},
            by_uri={uri(one): key for key, said in regions.items() for one in said.get("uris") or []},
            testers=frozenset(gateway(one) for one in testers),
        )
