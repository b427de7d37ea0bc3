"""The live picture: the Service, the Deployment, and nodes as boxes with their Pods in them.

A pure function of a scene. It is never wider than asked, and never higher: where the Pods' rows do not fit,
less is said of each, down to a count by state. What is a colour is a symbol, too, explained in the head.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubetour.podstatus import Mood
from kubetour.terminal.boxes import FRAME, GAP, fit, flow, grid
from kubetour.terminal.scene import Node, Pod, Scene
from kubetour.text import say

if TYPE_CHECKING:
    from rich.text import Text

MARKS = {
    Mood.READY: ("●", "green"),
    Mood.STARTING: ("○", "yellow"),
    Mood.ENDING: ("◌", "magenta"),
    Mood.FAILING: ("✗", "red"),
    Mood.DONE: ("✓", "blue"),
}
ENDPOINT = {True: ("▶", "green"), False: ("▷", "yellow"), None: (" ", "")}
STATUS = len("ContainerCreating")  # columns: a Pod's box does not change its width while it starts
NARROWEST = 12  # columns of a box


@dataclass(frozen=True)
class Traffic:
    """Requests so far: how many a second, how many were answered and failed, and the answers by Pod."""

    rate: int
    answered: int = 0
    failed: int = 0
    by: Mapping[str, int] = field(default_factory=dict)
    is_on: bool = True  # whether a way to the Service has been found


def picture(
    scene: Scene, language: str, width: int, height: int | None = None, traffic: Traffic | None = None
) -> Text:
    """Return the picture in at most so many columns and lines, as much of each Pod as fits."""
    from rich.text import Text

    head = list(flow(header(scene, language, traffic), width))
    room = None if height is None else max(height - len(head), 1)
    places = [*scene.nodes, *([Node("")] if scene.on("") else [])]
    lines: list[Text] = []
    for write in (named, short, tiny, counted):
        for lines in _drawings(scene, places, write, language, width, traffic):
            if room is None or len(lines) <= room:
                return Text("\n").join([*head, *lines])
    left = len(lines) - (room or 0) + 1
    more = Text(say(language, "live.more", lines=left), style="dim")
    more.truncate(width, overflow="ellipsis")
    return Text("\n").join([*head, *lines[: len(lines) - left], more])


def header(scene: Scene, language: str, traffic: Traffic | None) -> Iterator[list[Text]]:
    """Yield the lines above the boxes, each in pieces that stay whole: they say what the symbols mean."""
    from rich.text import Text

    if scene.service is None:
        yield [Text(say(language, "live.no-service", name=scene.name), style="bold")]
    else:
        ready = sum(pod.endpoint is True for pod in scene.pods)
        unready = sum(pod.endpoint is False for pod in scene.pods)
        yield [
            Text(f"Service {scene.name}", style="bold"),
            Text(scene.service),
            _marked(ENDPOINT[True], say(language, "live.endpoints", count=ready)),
            *([_marked(ENDPOINT[False], say(language, "live.unready", count=unready))] if unready else []),
        ]
    if traffic:
        yield _requests(traffic, language)
    if scene.deployment is None:
        yield [Text(say(language, "live.no-deployment", name=scene.name), style="bold")]
    else:
        declared, ready = scene.deployment
        yield [
            Text(f"Deployment {scene.name}", style="bold"),
            Text(say(language, "live.replicas", declared=declared, ready=ready)),
        ]
    if scene.pods:
        yield [_marked(MARKS[mood], f"{n} {word}") for (mood, word), n in _states(scene.pods, language)]


def _requests(traffic: Traffic, language: str) -> list[Text]:
    from rich.text import Text

    rate = Text(say(language, "live.rate", rate=traffic.rate))
    if not traffic.is_on and not traffic.answered:
        return [rate, Text(say(language, "live.no-way"), style="yellow")]
    failed = Text(say(language, "live.failed", count=traffic.failed), style="red" if traffic.failed else "")
    return [rate, Text(say(language, "live.answered", count=traffic.answered)), failed]


def _states(pods: Sequence[Pod], language: str) -> list[tuple[tuple[Mood, str], int]]:
    """Return how many Pods are in each state, those that are ready first."""
    said = Counter((pod.mood, _word(pod, language)) for pod in pods)
    moods = list(Mood)
    return sorted(said.items(), key=lambda item: (moods.index(item[0][0]), item[0][1]))


def _word(pod: Pod, language: str) -> str:
    """Return a Pod's STATUS; of one that runs and is not ready, that as well."""
    if pod.mood is Mood.STARTING and pod.status == "Running":
        return say(language, "live.not-ready", status=pod.status)
    return pod.status


# --- what a Pod's cell says, from much to little; each returns the cells of one box

Write = Callable[[Sequence[Pod], Sequence[Pod], str, Traffic | None], list["Text"]]


def named(pods: Sequence[Pod], every: Sequence[Pod], language: str, traffic: Traffic | None) -> list[Text]:
    """Return a cell for each Pod with its whole name."""
    return [_cell(pod, pod.name, max(len(p.name) for p in every), every, traffic) for pod in pods]


def short(pods: Sequence[Pod], every: Sequence[Pod], language: str, traffic: Traffic | None) -> list[Text]:
    """Return a cell for each Pod with the end of its name."""
    return [_cell(pod, pod.short, max(len(p.short) for p in every), every, traffic) for pod in pods]


def tiny(pods: Sequence[Pod], every: Sequence[Pod], language: str, traffic: Traffic | None) -> list[Text]:
    """Return a cell for each Pod with the end of its name, and its state as a symbol."""
    size = max((len(pod.short) for pod in every), default=0)
    return [
        _marked(MARKS[pod.mood], f"{pod.short:<{size}} ").append_text(_endpoint(pod, traffic)) for pod in pods
    ]


def counted(pods: Sequence[Pod], every: Sequence[Pod], language: str, traffic: Traffic | None) -> list[Text]:
    """Return one cell, with how many Pods there are of each kind of state."""
    from rich.text import Text

    counts = Counter(pod.mood for pod in pods)
    parts = [_marked(MARKS[mood], str(counts[mood])) for mood in Mood if counts[mood]]
    if traffic and pods:
        answered = sum(traffic.by.get(pod.name, 0) for pod in pods)
        parts.append(_marked(ENDPOINT[True], str(answered)))
    return [Text(" ").join(parts)] if parts else []


def _cell(pod: Pod, name: str, size: int, every: Sequence[Pod], traffic: Traffic | None) -> Text:
    from rich.text import Text

    state = max(STATUS, *(len(_state(other)) for other in every))
    ready = max(len(other.ready) for other in every)
    style = MARKS[pod.mood][1]
    return Text.assemble(
        _marked(MARKS[pod.mood], f"{name:<{size}} {pod.ready:>{ready}} "),
        (f"{_state(pod):<{state}} ", style),
        _endpoint(pod, traffic),
    )


def _state(pod: Pod) -> str:
    return f"{pod.status} ↻{pod.restarts}" if pod.restarts else pod.status


def _endpoint(pod: Pod, traffic: Traffic | None) -> Text:
    """Return whether the Service's endpoints have a Pod, and how many requests it has answered."""
    from rich.text import Text

    mark, style = ENDPOINT[pod.endpoint]
    answered = traffic.by.get(pod.name, 0) if traffic else 0
    count = f"{answered or (0 if pod.endpoint else ''):>4}" if traffic else ""
    return Text.assemble((mark, style), count)


def _marked(mark: tuple[str, str], text: str) -> Text:
    from rich.text import Text

    return Text.assemble(mark, " ", text)


def _drawings(
    scene: Scene, places: Sequence[Node], write: Write, language: str, width: int, traffic: Traffic | None
) -> Iterator[list[Text]]:
    """Yield the boxes, with more and more cells side by side in each; none if a cell is too wide."""
    cells = {node.name: write(scene.on(node.name), scene.pods, language, traffic) for node in places}
    widest = max((cell.cell_len for box in cells.values() for cell in box), default=0)
    if widest + FRAME > width and write is not counted:
        return
    titles = {node.name: _title(node, language) for node in places}
    least = max((title.cell_len for title in titles.values()), default=0) + FRAME + 2
    most = max((len(box) for box in cells.values()), default=0)
    for across in range(1, max(most, 1) + 1):
        size = across * widest + (across - 1) * GAP + FRAME
        if size > width and across > 1:
            return
        size = min(max(size, least, NARROWEST), width)
        boxes = [_rows(cells[node.name], across, widest, language) for node in places]
        yield list(grid([titles[node.name] for node in places], boxes, size, width))


def _title(node: Node, language: str) -> Text:
    from rich.text import Text

    if not node.name:
        return Text(say(language, "live.unscheduled"), style="yellow")
    return Text.assemble(
        (node.name, "bold"), (f" · {node.trouble}" if node.trouble else "", "red"), style="cyan"
    )


def _rows(cells: Sequence[Text], across: int, size: int, language: str) -> list[Text]:
    """Return a box's lines: its cells, so many side by side."""
    from rich.text import Text

    if not cells:
        return [Text(say(language, "live.no-pods"), style="dim")]
    padded = [fit(cell, size) for cell in cells]
    return [Text(" " * GAP).join(padded[at : at + across]) for at in range(0, len(cells), across)]
