"""What a page says where: texts by `data-testid`, as a browser would collect them."""

from html.parser import HTMLParser

_VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Elements(HTMLParser):
    """Texts of the elements of a page that have a `data-testid`; repeated ones in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {}
        self._open: list[tuple[str, str | None, list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_data(" ")  # cells and blocks are apart on the screen
        if tag not in _VOID:
            self._open.append((tag, dict(attrs).get("data-testid"), []))

    def handle_data(self, data: str) -> None:
        for _, _, parts in self._open:
            parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.handle_data(" ")
        opened, name, parts = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        if name is not None:
            self.texts.setdefault(name, []).append(" ".join("".join(parts).split()))

    def __contains__(self, name: str) -> bool:
        return name in self.texts

    def __getitem__(self, name: str) -> str:
        (text,) = self.texts[name]
        return text
