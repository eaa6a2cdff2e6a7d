"""The documented API is the one that is there."""

import re
from pathlib import Path

from sandbox.app import create_app
from sandbox.settings import HELP, Settings
from sandbox.wechat.templates import read_library
from sandbox.world import World

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")


def served() -> set[tuple[str, str]]:
    """Method and path of every route of the sandbox's own API."""
    routes = create_app(World(Settings())).router.routes()
    paths = ((route.method, route.resource.canonical) for route in routes if route.resource)
    return {
        (method, path) for method, path in paths if path.startswith("/api/") and method in ("GET", "POST", "DELETE")
    }


def test_every_call_is_documented_and_every_documented_call_is_served() -> None:
    documented = set(re.findall(r"`(GET|POST|DELETE) (/api/[^`? ]+)", DOCUMENT))
    assert documented == served()


def test_every_path_of_the_platform_is_documented() -> None:
    routes = create_app(World(Settings())).router.routes()
    paths = {route.resource.canonical for route in routes if route.resource and "{" not in route.resource.canonical}
    for path in sorted(path for path in paths if path.startswith(("/cgi-bin/", "/sns/"))):
        name = path.removeprefix("/cgi-bin/")
        assert name.rpartition("/")[2] in DOCUMENT, path


def test_every_template_stands_in_the_table_with_its_fields() -> None:
    for library in read_library():
        for template in library.values():
            row = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| `{template.id}`"))
            assert template.title in row
            assert all(f"`{key}` {label}" in row for key, label in template.fields.items())


def test_the_documented_defaults_are_the_true_ones() -> None:
    defaults = Settings()
    for name in ("app_id", "app_secret", "token", "aes_key", "original_id", "mini_app_id", "mini_app_secret"):
        assert f"| `--{name.replace('_', '-')}` | `{getattr(defaults, name)}` |" in DOCUMENT


def test_every_setting_is_explained_on_the_command_line() -> None:
    assert set(HELP) == set(Settings.__slots__)
