"""Somebody at a browser without a mouse: goes by Tab, writes, chooses by arrows, and looks at each page where she stops."""

from __future__ import annotations

from tests.web.signin.test_browser import Tab

from kiban.access import audit

_AT = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return { id: "", words: "" };
  const words = at.labels && at.labels.length
    ? [...at.labels].map((label) => label.textContent).join(" ")
    : at.getAttribute("aria-label") || at.textContent || "";
  const chosen = at.tagName === "SELECT" ? at.selectedOptions[0].textContent : words;
  const tidy = (text) => text.replace(/\\s+/g, " ").trim();
  const seen = getComputedStyle(at).outlineStyle !== "none" && at.getClientRects().length > 0;
  return { id: at.id, words: tidy(words), chosen: tidy(chosen), on: at.type !== "radio" || at.checked, seen };
}"""
_FAR = 250


class Hands(Tab):
    """A browser worked by keys alone; only its first page is opened by its address."""

    def reach(self, wanted: str, back: bool = False) -> None:
        """Go by Tab, or Shift+Tab, to what has these words or this ID; it shows that it has the focus."""
        for _ in range(_FAR):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            at = self.page.evaluate(_AT)
            if wanted in at["words"] or wanted == at["id"]:
                assert at["seen"], f"{wanted} has the focus and does not show it"
                return
        raise AssertionError(f"{wanted} is not reached by keyboard on {self.heading()}")

    def write(self, field: str, text: str, back: bool = False) -> None:
        """Reach a field, and type."""
        self.reach(field, back)
        self.page.keyboard.type(text)

    def choose(self, field: str, wanted: str) -> None:
        """Reach a list or a group of choices, and go by the arrow to the one with these words."""
        self.reach(field)
        for _ in range(_FAR):
            at = self.page.evaluate(_AT)
            if at["chosen"] == wanted:
                if not at["on"]:
                    self.page.keyboard.press("Space")
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{wanted} is not among the choices of {field}")

    def tick(self, field: str) -> None:
        """Reach a box, and tick it."""
        self.reach(field)
        self.page.keyboard.press("Space")

    def enter(self, wanted: str = "", back: bool = False) -> None:
        """Reach a button or a link where one is named, press Enter, and wait for the page it leads to."""
        if wanted:
            self.reach(wanted, back)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def stop(self, name: str, *read: str) -> str:
        """Look at the page: axe finds nothing, and these words are read there; the whole page as it came."""
        self.clean(name)
        words = self.page.inner_text("body")
        assert [each for each in read if each not in words] == []
        return str(self.page.content())

    @property
    def mark(self) -> str:
        """What stands for her session in the trail."""
        from django.conf import settings

        name = settings.SESSION_COOKIE_NAME
        return audit.session_mark(next(c["value"] for c in self.context.cookies() if c["name"] == name))
