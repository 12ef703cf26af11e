"""Does what a person does on a page, by mouse or by keyboard alone."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TypedDict

from playwright.sync_api import Browser, Locator, expect

from tests.browsing import HEIGHT, WIDE, Watched

PASSWORD = "correct horse battery staple"  # noqa: S105  # of everybody here
Name = str | re.Pattern[str]  # that something has, or a part of it
MOST_STOPS = 250  # of the focus on the way to something: a page has fewer

# Where the focus is, seen from what is wanted. A ring is an outline, or a shadow that is nothing but spread; the button
# of a date within a field, which has the focus instead of the field, is ringed by the browser.
_WHERE = """(wanted) => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || / 0px 0px 0px [1-9]/.test(style.boxShadow) || !at.matches(":focus");
  const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const told = at.ariaLabel || at.labels?.[0]?.innerText || at.innerText || at.title || at.id;
  return {
    name: `${at.localName} ${told.trim().replace(/\\s+/g, " ").slice(0, 60)}`,
    nowhere: at === document.body,
    reached: at === wanted,
    before: Boolean(at.compareDocumentPosition(wanted) & Node.DOCUMENT_POSITION_PRECEDING),
    seen: ring && inside && box.width > 1 && box.height > 1,
  };
}"""


class _Stop(TypedDict):
    """An element that has the focus: its name, and how it stands to what is wanted."""

    name: str
    nowhere: bool
    reached: bool
    before: bool  # what is wanted comes before it
    seen: bool  # that it has the focus can be seen


class Hand(ABC):
    """A person's hand on the pages of one server; a page is waited for wherever one is to come."""

    name: str

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.page = watched.page

    def come(self, path: str = "/") -> None:
        """Write an address into the browser."""
        self.page.goto(self.watched.address + path)

    def log_in(self, name: str) -> None:
        """Come to the server, which asks for a name and a password first."""
        self.come()
        self.write("Name", name)
        self.write("Password", PASSWORD)
        self.press("Log in")

    def log_out(self) -> None:
        """End the session, wherever one is."""
        self.press("Log out", self.page.get_by_role("banner"))

    def go(self, name: str, navigation: str = "Main") -> None:
        """Go to one of the pages that are named on each."""
        self.follow(name, self.page.get_by_role("navigation", name=navigation))

    def follow(self, name: Name, within: Locator | None = None) -> None:
        """Follow a link to where it leads."""
        self._leave_by((within or self.content).get_by_role("link", name=name, exact=True))

    def press(self, name: str, within: Locator | None = None) -> None:
        """Press a button that leads to another page."""
        self._leave_by((within or self.content).get_by_role("button", name=name, exact=True))

    def unfold(self, summary: str) -> None:
        """Open what is folded below a summary."""
        target = self.content.locator("summary", has_text=summary)
        self.reach(target)
        self.act(target)

    @property
    def content(self) -> Locator:
        """What is on this page alone."""
        return self.page.locator("main")

    def row(self, name: str) -> Locator:
        """The rows of a table that are of something."""
        return self.content.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=name))

    def _leave_by(self, target: Locator) -> None:
        self.reach(target)
        with self.page.expect_navigation():
            self.act(target)

    @abstractmethod
    def reach(self, target: Locator) -> None:
        """Get to an element."""

    @abstractmethod
    def act(self, target: Locator) -> None:
        """Do with an element that was reached what it is for."""

    @abstractmethod
    def write(self, label: str, text: str, within: Locator | None = None) -> None:
        """Replace what is in a field."""

    @abstractmethod
    def date(self, label: str, day: date, within: Locator | None = None) -> None:
        """Give a field a day."""

    @abstractmethod
    def choose(self, label: str, option: str, within: Locator | None = None) -> None:
        """Choose an option of a list."""

    @abstractmethod
    def search(self, text: str) -> None:
        """Search everything."""

    @abstractmethod
    def pick(self, row: Name) -> None:
        """Open a row of the page's first list."""

    def _field(self, label: str, within: Locator | None) -> Locator:
        return (within or self.content).get_by_label(label, exact=True)


class Mouse(Hand):
    """Points and clicks; the keys are for writing only."""

    name = "mouse"

    def reach(self, target: Locator) -> None:
        """Point at it."""
        target.hover()

    def act(self, target: Locator) -> None:
        """Click."""
        target.click()

    def write(self, label: str, text: str, within: Locator | None = None) -> None:
        """Click into the field and write."""
        self._field(label, within).fill(text)

    def date(self, label: str, day: date, within: Locator | None = None) -> None:
        """Pick the day."""
        self._field(label, within).fill(day.isoformat())

    def choose(self, label: str, option: str, within: Locator | None = None) -> None:
        """Click on the option."""
        self._field(label, within).select_option(label=option)

    def search(self, text: str) -> None:
        """Click into the field of the page's head."""
        field = self.page.locator("#search")
        field.click()
        field.fill(text)
        with self.page.expect_navigation():
            field.press("Enter")

    def pick(self, row: Name) -> None:
        """Click on it."""
        self.follow(row)


class Keyboard(Hand):
    """Never points: Tab and the keys of the pages get everywhere, and where one is can be seen at each stop."""

    name = "keyboard"

    def reach(self, target: Locator) -> None:
        """Tab to it, backwards if it comes before; past the navigation by the link that is there for that."""
        expect(target).to_be_visible()
        at: _Stop = target.evaluate(_WHERE)
        is_at_the_top = at["nowhere"] and "#" not in self.page.url
        if is_at_the_top and self._is_content(target):
            self._press("Tab")
            expect(self.page.get_by_role("link", name="Skip to the content")).to_be_focused()
            with self.page.expect_navigation():  # within the page
                self._press("Enter")
        self._walk(target, "Tab", back="Shift+Tab")

    def _is_content(self, target: Locator) -> bool:
        return bool(target.evaluate("(wanted) => Boolean(wanted.closest('main'))"))

    def act(self, target: Locator) -> None:
        """Enter, on what has the focus."""
        expect(target).to_be_focused()
        self._press("Enter")

    def write(self, label: str, text: str, within: Locator | None = None) -> None:
        """Type over what is there; what has several lines is pasted."""
        field = self._field(label, within)
        self.reach(field)
        self._press("Control+A")
        if "\n" in text:
            self.page.keyboard.insert_text(text)
        else:
            self.page.keyboard.type(text)
        expect(field).to_have_value(text)

    def date(self, label: str, day: date, within: Locator | None = None) -> None:
        """Type month, day and year, as the language of the browser has them."""
        field = self._field(label, within)
        self.reach(field)
        self.page.keyboard.type(f"{day:%m%d%Y}")
        expect(field).to_have_value(day.isoformat())

    def choose(self, label: str, option: str, within: Locator | None = None) -> None:
        """Go through the options from the first one."""
        field = self._field(label, within)
        self.reach(field)
        self._press("Home")
        labels: list[str] = field.evaluate("(list) => [...list.options].map((one) => one.label)")
        self._press(*["ArrowDown"] * labels.index(option))
        chosen: str = field.evaluate("(list) => list.selectedOptions[0].label")
        assert chosen == option

    def search(self, text: str) -> None:
        """By the key that the field tells."""
        self._press("/")
        expect(self.page.locator("#search")).to_be_focused()
        self.page.keyboard.type(text)
        with self.page.expect_navigation():
            self._press("Enter")

    def pick(self, row: Name) -> None:
        """Through the lists, by the keys that the page tells."""
        target = self.content.get_by_role("link", name=row, exact=True)
        expect(target).to_be_visible()
        self._walk(target, "j", back="k")
        with self.page.expect_navigation():
            self.act(target)

    def _walk(self, target: Locator, forth: str, back: str) -> None:
        passed: list[str] = []
        for _ in range(MOST_STOPS):
            at: _Stop = target.evaluate(_WHERE)  # which finds it again where the page was renewed meanwhile
            assert at["nowhere"] or at["seen"], f"nobody sees that {at['name']} has the focus"
            if at["reached"]:
                return
            passed.append(at["name"])
            self._press(back if at["before"] else forth)
        raise AssertionError(f"{forth} does not lead to {target}; passed were {list(dict.fromkeys(passed))}")

    def _press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


HANDS = (Mouse, Keyboard)
Kind = type[Hand]


@contextmanager
def visit(browser: Browser, address: str, kind: Kind) -> Iterator[Hand]:
    """A person who comes to a server. Where the visit ends, nothing keeps anybody out, and no page had a complaint."""
    # what moves hides for a moment where the focus is
    context = browser.new_context(viewport={"width": WIDE, "height": HEIGHT}, locale="en-US", reduced_motion="reduce")
    try:
        watched = Watched(context.new_page(), address)
        yield kind(watched)
        watched.page.wait_for_load_state("networkidle")
        if kind is Keyboard:  # by mouse one ends on the same page
            assert watched.barriers() == []
        assert watched.complaints == []
    finally:
        context.close()
