import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from service.access.caller import LOCAL
from service.api.app import create_app
from service.console import assets
from service.console.assets import FOLDER, address, assets_version
from service.console.frame import age, environment, moment, rendered
from tests.service.console.conftest import BROWSER
from tests.service.console.html_tree import read
from tests.service.web import TestClient

CHOSEN = {"title": "Nothing", "outcomes": []}
TOKEN = 'a"b<'  # noqa: S105 - nobody's


def request_of(client, **state):
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"state=failed",
        "headers": [],
        "server": ("localhost", 80),
        "scheme": "http",
        "app": client.app,
    }
    request = Request(scope)
    for name, value in {"caller": LOCAL, "csrf_token": "", **state}.items():
        setattr(request.state, name, value)
    return request


@pytest.mark.parametrize("path", ["/", "/system", "/settings", "/nowhere"])
def test_every_page_says_that_it_is_research_and_has_a_way_for_the_keyboard(client, path):
    page = read(client.get(path, headers=BROWSER).text)
    line = page.one(testid="research-use")
    assert "RESEARCH USE ONLY" in line.text
    assert list(line.all("button")) == []
    assert page.one("a", **{"class": "skip"}).attributes["href"] == "#content"
    assert page.one("main").attributes["id"] == "content"
    assert page.one("html").attributes["lang"] == "en"


def test_the_navigation_names_the_screens_and_where_one_is(client):
    nav = read(client.get("/").text).one("nav", **{"aria-label": "Screens"})
    links = {a.text: a.attributes for a in nav.all("a")}
    assert {"Studies", "System", "Settings"} <= set(links)
    assert links["Studies"]["aria-current"] == "page"
    assert "aria-current" not in links["System"]


def test_no_page_has_an_inline_script_or_style_or_asks_another_host(client, deliver):
    deliver(1)
    for path in ("/", "/system", "/nowhere"):
        answer = client.get(path, headers=BROWSER)
        assert re.findall(r"<script(?! src=\"/static/)", answer.text) == []
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=", answer.text) == []
        assert re.findall(r"(?:src|href|action)=\"(?:https?:)?//", answer.text) == []
        policy = dict(
            p.split(" ", 1) for p in answer.headers["content-security-policy"].split("; ")
        )
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["default-src"] == "'none'"


def test_htmx_evaluates_nothing_and_writes_no_style(client):
    meta = read(client.get("/").text).one("meta", name="htmx-config").attributes["content"]
    assert '"allowEval":false' in meta
    assert '"includeIndicatorStyles":false' in meta
    assert '"selfRequestsOnly":true' in meta


def test_the_theme_is_chosen_by_a_link_and_kept(client):
    page = read(client.get("/?state=failed").text)
    assert "data-theme" not in page.one("html").attributes
    dark = next(a for a in page.one(testid="themes").all("a") if a.text == "dark")
    answer = client.get(dark.attributes["href"], follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?state=failed")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert read(client.get("/").text).one("html").attributes["data-theme"] == "dark"
    client.cookies.set("osteon_theme", '"><script>')
    assert "data-theme" not in read(client.get("/").text).one("html").attributes


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_a_theme_leads_back_to_our_own_pages_only(client, back):
    answer = client.get("/appearance/dark", params={"back": back}, follow_redirects=False)
    assert answer.status_code == 422
    assert client.get("/appearance/red", follow_redirects=False).status_code == 422


def test_static_files_have_addresses_that_change_and_are_kept_for_a_year(client):
    url = address("console.css")
    answer = client.get(url)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.content == (FOLDER / "console.css").read_bytes()
    plain = client.get("/static/console.css")
    assert (plain.content, plain.headers["cache-control"]) == (answer.content, "no-cache")
    old = client.get("/static/0123456789abcdef/console.css")
    assert old.status_code == 404
    with pytest.raises(FileNotFoundError):
        address("gone.css")


@pytest.mark.parametrize("name", ["../frame.py", "..%2fframe.py", "vendor/../../frame.py"])
def test_nothing_outside_the_folder_is_served(client, name):
    assert client.get(f"/static/{assets_version()}/{name}").status_code == 404
    assert client.get(f"/static/{name}").status_code == 404


def test_the_version_is_of_the_content(tmp_path, monkeypatch):
    (tmp_path / "a.css").write_text("a")
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    first = assets_version.__wrapped__()
    (tmp_path / "a.css").write_text("b")
    assert assets_version.__wrapped__() != first


def test_what_is_shown_is_escaped_and_what_is_missing_is_an_error():
    environment().from_string("{{ who }}").render(who="x")
    assert environment().from_string("{{ who }}").render(who="<b>&") == "&lt;b&gt;&amp;"
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nobody }}").render()


def test_forms_and_htmx_carry_the_token_of_the_session(client):
    page = read(rendered(request_of(client, csrf_token=TOKEN), "chosen.html", CHOSEN))
    assert page.one("body").attributes["hx-headers"] == '{"X-CSRF-Token": "a\\"b\\u003c"}'
    field = environment().from_string("{{ csrf_field() }}").render(csrf_token=TOKEN)
    assert read(field).one("input").attributes == {
        "type": "hidden",
        "name": "csrf_token",
        "value": TOKEN,
    }
    assert environment().from_string("{{ csrf_field() }}").render(csrf_token="") == ""
    page = read(rendered(request_of(client), "chosen.html", CHOSEN))
    assert "hx-headers" not in page.one("body").attributes


def test_times_have_their_zone_and_ages_the_unit_that_fits():
    assert moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02 03:04:05 UTC"
    now = datetime.now(UTC)
    told = [age(now - timedelta(seconds=s)) for s in (40, 300, 3 * 3600, 12 * 86400)]
    assert told == ["40 s", "5 min", "3 h", "12 d"]


def test_another_hosts_name_is_not_shown_where_the_node_listens_everywhere(site):
    everywhere = replace(site, node_host="0.0.0.0")  # noqa: S104 - shown, not bound to
    with TestClient(create_app(everywhere)) as client:
        words = read(client.get("/").text).one(testid="empty").text
    assert "host localhost port 11112" in words
