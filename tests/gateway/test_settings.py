"""Settings come from NAAP_ variables, and a wrong one stops the start."""

from pathlib import Path

import pytest

from auth.budget import Tiers
from gateway.settings import described, from_environment
from metrics.errors import BadRequest

TOKEN = "a-token-of-some-length"


def test_every_setting_has_a_default() -> None:
    settings = from_environment({"PATH": "/bin", "HOME": "/root"})

    assert (settings.host, settings.port, settings.workers, settings.token) == ("127.0.0.1", 8000, 1, None)
    assert settings.backend.startswith("chdb://")


def test_variables_replace_defaults() -> None:
    settings = from_environment({"NAAP_PORT": "9000", "NAAP_LOG_LEVEL": "DEBUG", "NAAP_BACKEND": "chdb:///srv/naap"})

    assert (settings.port, settings.log_level, settings.backend) == (9000, "debug", "chdb:///srv/naap")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NAAP_PORT", "http"),
        ("NAAP_PORT", "0"),
        ("NAAP_PORT", "70000"),
        ("NAAP_PORT", ""),
        ("NAAP_WORKERS", "-1"),
        ("NAAP_HOST", "  "),
        ("NAAP_LOG_LEVEL", "loud"),
        ("NAAP_REGIONS", "/no/such/file.json"),
        ("NAAP_REGIONS", "~nobodyx/file.json"),
        ("NAAP_REGIONS", "/" + "x" * 300),
        ("NAAP_OPERATOR_TOKEN", "short"),
        ("NAAP_OPERATOR_TOKEN_FILE", "/no/such/token"),
        ("NAAP_EVENTS_MAX_BYTES", "32MiB"),
        ("NAAP_BUDGETS", "100"),
        ("NAAP_BUDGETS", "1,2,-3"),
        ("NAAP_RATES", "1,2,many"),
        ("NAAP_REDIS_URL", "127.0.0.1:6379"),
        ("NAAP_TRUSTED_PROXIES", "yes"),
        ("NAAP_PROXY_HEADER", "x-real-ip"),
        ("NAAP_CORS_ORIGINS", "example.org"),
        ("NAAP_CORS_ORIGINS", "https://example.org/path"),
        ("NAAP_CORS_ORIGINS", ","),
        ("NAAP_INTROSPECTION", "no"),
        ("NAAP_BATCH", "0"),
        ("NAAP_TRUSTED_DOCUMENTS", "/no/such/list.json"),
    ],
)
def test_a_malformed_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=name):
        from_environment({name: value})


def test_an_unknown_variable_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadRequest, match=r"NAAP_PROT is not a setting; did you mean NAAP_PORT\?"):
        from_environment({"NAAP_PROT": "9000"})


def test_the_token_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    assert from_environment({"NAAP_OPERATOR_TOKEN_FILE": str(tmp_path / "token")}).token == TOKEN


def test_a_token_file_without_a_usable_token_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")

    with pytest.raises(BadRequest, match="NAAP_OPERATOR_TOKEN_FILE"):
        from_environment({"NAAP_OPERATOR_TOKEN_FILE": str(tmp_path / "token")})


def test_two_tokens_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)

    with pytest.raises(BadRequest, match="Keep one"):
        from_environment({"NAAP_OPERATOR_TOKEN": TOKEN, "NAAP_OPERATOR_TOKEN_FILE": str(tmp_path / "token")})


def test_an_error_never_shows_the_token() -> None:
    with pytest.raises(BadRequest) as caught:
        from_environment({"NAAP_OPERATOR_TOKEN": "hunter2"})

    assert "hunter2" not in str(caught.value)


def test_every_setting_has_a_help_line() -> None:
    assert all((name.startswith("NAAP_") and doc.endswith(".")) or "…" in doc for name, _, doc in described())


def test_the_store_may_be_named_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "backend"
    file.write_text("chdb:///var/naap?name=eu\n")

    assert from_environment({"NAAP_BACKEND_FILE": str(file)}).backend == "chdb:///var/naap?name=eu"
    with pytest.raises(BadRequest, match="both set"):
        from_environment({"NAAP_BACKEND_FILE": str(file), "NAAP_BACKEND": "chdb://"})
    file.write_text(" ")
    with pytest.raises(BadRequest, match="NAAP_BACKEND_FILE must not be blank"):
        from_environment({"NAAP_BACKEND_FILE": str(file)})


def test_budgets_origins_and_switches_are_read() -> None:
    settings = from_environment(
        {"NAAP_BUDGETS": "1, 2,0", "NAAP_CORS_ORIGINS": "https://a.example, *", "NAAP_SUGGESTIONS": "OFF"}
    )

    assert (settings.budgets, settings.cors_origins) == (Tiers(1, 2, 0), ("https://a.example", "*"))
    assert (settings.introspection, settings.suggestions) == (True, False)


def test_the_url_of_redis_may_lie_in_a_file_and_not_in_both(tmp_path: Path) -> None:
    (tmp_path / "redis").write_text("redis://:secret@localhost:6379/0\n")
    named = {"NAAP_REDIS_URL_FILE": str(tmp_path / "redis")}

    assert from_environment(named).redis == "redis://:secret@localhost:6379/0"
    with pytest.raises(BadRequest, match="NAAP_REDIS_URL and NAAP_REDIS_URL_FILE"):
        from_environment({**named, "NAAP_REDIS_URL": "redis://localhost"})
