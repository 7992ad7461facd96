from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import work
from textual.containers import Horizontal, Vertical

from data.errors import LosswatchError
from tui.lines import Line
from tui.screens.place import NARROW, Place
from tui.widgets.panel import WAITING, Panel
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult
    from textual.widget import Widget

    from data.model.snapshot import Snapshot
    from tui.screens.parts import Part

D = TypeVar("D")


class DetailScreen(Place, Generic[D]):
    """Numbered parts of one thing: side by side where there is room, one at a time with tabs where there is not."""

    SCOPES: ClassVar[tuple[str, ...]] = ("app",)

    def __init__(self, parts: Sequence[Part[D]]) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.detail: D | None = None
        self.problem = ""
        self.tab = 1
        self._loading = False
        self._stale = False
        self._seen_version = -1

    async def fetch(self) -> D:
        raise NotImplementedError

    # Layout

    def content(self) -> ComposeResult:
        yield Panel(id="tabs")
        with Vertical(id="top"):
            yield from self._side("top")
        with Horizontal(id="sides"):
            with Vertical(id="left"):
                yield from self._side("left")
            with Vertical(id="right"):
                yield from self._side("right")

    def _side(self, side: str) -> list[Widget]:
        """The panels of one side; a subclass may add its own."""
        return [
            Panel(f"{number} {part.title}" if number < 5 else part.title, id=f"part{number}", focusable=True)
            for number, part in enumerate(self.parts, 1)
            if part.side == side
        ]

    def start(self) -> None:
        for number, part in enumerate(self.parts, 1):
            self.query_one(f"#part{number}", Panel).paint(self._painter(part))
        self.query_one("#tabs", Panel).paint(lambda _width, _height: [self._tab_line()])
        self.settle(self.size_name)
        self.focus_first()
        self._load()

    def _painter(self, part: Part[D]) -> Callable[[int, int], Sequence[Line]]:
        def draw(width: int, height: int) -> Sequence[Line]:
            if self.detail is None:
                return [((f" {self.problem or WAITING}", "dim"),)]
            return part.lines(self.detail, self.losswatch.look(), width, height)

        return draw

    def settle(self, size: str) -> None:
        """Give each part its height; on small terminals only the chosen tab has any."""
        if not self._ready and not self.query("#part1"):
            return
        narrow = size in NARROW
        self.query_one("#tabs", Panel).display = narrow
        for number, part in enumerate(self.parts, 1):
            panel = self.query_one(f"#part{number}", Panel)
            panel.display = not narrow or number == self.tab
            if narrow or part.weight:
                panel.styles.height = "1fr" if narrow else f"{part.weight}fr"
            else:
                panel.styles.height = self._needed(part) + 1  # measured
        shown = {part.side for number, part in enumerate(self.parts, 1) if not narrow or number == self.tab}
        self.query_one("#top").display = "top" in shown
        self.query_one("#left").display = "left" in shown
        self.query_one("#right").display = "right" in shown or self.extra_shown(narrow=narrow)
        self.query_one("#sides").display = bool(shown - {"top"}) or self.extra_shown(narrow=narrow)

    def extra_shown(self, *, narrow: bool) -> bool:
        """Whether a subclass shows something of its own on the right."""
        del narrow
        return False

    def _needed(self, part: Part[D]) -> int:
        if self.detail is None:
            return 3
        width = self.app.size.width // 2 - 2  # a column of air on each side
        return min(max(len(part.lines(self.detail, self.losswatch.look(), width, 12)), 1), 12)

    def _tab_line(self) -> Line:
        names = [f"{number} {title}" for number, title in enumerate(self.tab_titles(), 1)]
        return tuple((f" {name} ", "focus" if number == self.tab else "dim") for number, name in enumerate(names, 1))

    def tab_titles(self) -> list[str]:
        return [part.title.partition("   ")[0] for part in self.parts[:4]]

    def focus_first(self) -> None:
        self.set_focus(self.query_one(f"#part{self.tab}", Panel))

    def action_panel(self, number: int) -> None:
        """Focus part `number`; on a small terminal it becomes the one shown."""
        if number > len(self.tab_titles()):
            self.losswatch.say(f"There is no part {number} here")
            return
        self.tab = number
        self.settle(self.size_name)
        self.focus_first()
        self.tick()

    # Loading

    def refetch(self) -> None:
        self._load()

    def apply(self, snapshot: Snapshot) -> None:
        if snapshot.version != self._seen_version and not self.losswatch.showing.paused:
            self._seen_version = snapshot.version
            self._load()
        super().apply(snapshot)

    def _load(self) -> None:
        """One request at a time; a newer snapshot meanwhile asks once more afterwards."""
        if self._loading:
            self._stale = True
            return
        self._loading = True
        self._fetch(self.fetch)

    @work(group="detail", exit_on_error=False)
    async def _fetch(self, fetch: Callable[[], Awaitable[D]]) -> None:
        try:
            self.detail = await fetch()
            self.problem = ""
        except LosswatchError as problem:
            self.problem = str(problem)
        self._loading = False
        if not self.is_attached:
            return
        if self.detail is None:
            self.missing()
        else:
            self.arrived(self.detail)
        self.settle(self.size_name)
        self.tick()
        if self._stale:
            self._stale = False
            self._load()

    def arrived(self, detail: D) -> None:
        """A newer detail is here."""

    def missing(self) -> None:
        """Nothing came yet; `self.problem` says why."""
        for table in self.query(RowTable):
            table.empty = self.problem
