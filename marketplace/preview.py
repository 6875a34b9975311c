#!/usr/bin/env python3
"""Draws preview.svg of templates from their documents: the services of a stack in the order in which they start, or the nodes of a workflow.

    marketplace/preview.py                       # all of them
    marketplace/preview.py stacks/gitea …        # these
    marketplace/preview.py --check               # fails where a drawing is not that of its document

The same document gives the same drawing. Needs PyYAML.
"""

import re
import sys
from html import escape
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
CARD, ROW, COLUMN, MARGIN = (212, 84), 108, 272, 32
COLOURS = {
    "analytics": "#7c3aed", "automation": "#0d9488", "communication": "#db2777", "content": "#2563eb", "data": "#0891b2",
    "databases": "#1d4ed8", "development": "#4f46e5", "files": "#0284c7", "media": "#c026d3", "messaging": "#ea580c",
    "monitoring": "#d97706", "networking": "#059669", "productivity": "#65a30d", "security": "#dc2626", "web": "#0ea5e9",
}


def shorten(text, most):
    return text if len(text) <= most else text[: most - 1] + "…"


def card(x, y, title, below, colour, pills=(), dashed=False):
    width, height = CARD
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    parts = [
        f'<g transform="translate({x} {y})">',
        f'<rect width="{width}" height="{height}" rx="10" fill="#fff" stroke="#cbd5e1"{dash}/>',
        f'<path d="M0 14v{height - 28}" stroke="{colour}" stroke-width="4" stroke-linecap="round"/>',
        f'<text x="16" y="27" class="title">{escape(shorten(title, 24))}</text>',
        f'<text x="16" y="46" class="below">{escape(shorten(below, 29))}</text>',
    ]
    at = 16
    for pill in pills[:3]:
        wide = 14 + 7 * len(pill)
        parts.append(f'<rect x="{at}" y="55" width="{wide}" height="19" rx="9.5" fill="{colour}" fill-opacity=".12"/>')
        parts.append(f'<text x="{at + wide / 2:g}" y="69" class="pill" fill="{colour}">{escape(pill)}</text>')
        at += wide + 6
    return parts + ["</g>"]


def edge(start, end, label=""):
    (x1, y1), (x2, y2) = start, end
    bend = max(28, abs(x2 - x1) / 2)
    drawn = [f'<path d="M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2 - 2:g} {y2:g}" class="edge" marker-end="url(#end)"/>']
    if label:
        drawn.append(f'<text x="{x1 + 8:g}" y="{y1 + (15 if y2 > y1 else -6):g}" class="label">{escape(label)}</text>')
    return drawn


def picture(title, places, edges, cards):
    left, top = min(x for x, _ in places.values()), min(y for _, y in places.values())
    width = max(x for x, _ in places.values()) - left + CARD[0] + 2 * MARGIN
    height = max(y for _, y in places.values()) - top + CARD[1] + 2 * MARGIN
    move = lambda point: (point[0] - left + MARGIN, point[1] - top + MARGIN)
    at = {key: move(point) for key, point in places.items()}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">',
        f"<title>{escape(title)}</title>",
        "<style>text{font-family:system-ui,sans-serif}.title{font-size:15px;font-weight:600;fill:#0f172a}.below{font-size:11.5px;fill:#64748b}"
        ".pill{font-size:11.5px;font-weight:600;text-anchor:middle}.label{font-size:10.5px;fill:#64748b}.edge{fill:none;stroke:#94a3b8;stroke-width:1.6}</style>",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0l8 4-8 4z" fill="#94a3b8"/></marker></defs>',
        f'<rect width="{width:g}" height="{height:g}" rx="16" fill="#f1f5f9"/>',
    ]
    for start, end, label in edges:
        (x1, y1), (x2, y2) = at[start], at[end]
        lines += edge((x1 + CARD[0], y1 + CARD[1] / 2), (x2, y2 + CARD[1] / 2), label)
    for key in places:
        lines += card(*at[key], **cards[key])
    return "\n".join(lines) + "\n</svg>\n"


def stack(document, manifest):
    services = document["services"]
    variables = document.get("x-windflow", {}).get("variables", {})
    fill = lambda text: re.sub(r"\$\{(\w+)[^}]*\}", lambda found: str(variables.get(found[1], {}).get("default", "…")), text)
    needs = {name: list(service.get("depends_on", {})) for name, service in services.items()}
    level = {}

    def level_of(name):
        level.setdefault(name, max((level_of(other) + 1 for other in needs[name]), default=0))
        return level[name]

    columns = {}
    for name in services:
        columns.setdefault(level_of(name), []).append(name)
    # Within a column as their dependencies are, so that fewer lines cross.
    places, tallest = {}, max(map(len, columns.values()))
    for column in sorted(columns):
        height = lambda name: sum(places[other][1] for other in needs[name]) / max(1, len(needs[name])) if column else 0
        names = sorted(columns[column], key=lambda name: (height(name), list(services).index(name)))
        for row, name in enumerate(names):
            places[name] = (column * COLUMN, (row + (tallest - len(names)) / 2) * ROW)
    cards = {}
    for name, service in services.items():
        ports = [fill(str(port)).split("/")[0].split(":") for port in service.get("ports", [])]
        once = service.get("restart") == "no"
        pills = [f"{port[-2]} → {port[-1]}" if len(port) > 1 and port[-2] != port[-1] else port[-1] for port in ports] or (["once"] if once else [])
        cards[name] = dict(title=name, below=service["image"].split("/")[-1], colour=COLOURS[manifest["category"]], pills=pills, dashed=once)
    edges = [(other, name, "") for name in services for other in needs[name]]
    return picture(manifest["title"]["en"], places, edges, cards)


def workflow(document, manifest):
    nodes, layout = document["nodes"], document.get("layout", {})
    edges = []
    for name, node in nodes.items():
        used = dict.fromkeys(found for found in re.findall(r"nodes\.(\w+)", yaml.safe_dump(node)) if found in nodes and found != name)
        for need in node["needs"] if "needs" in node else used:
            start, _, port = need.partition(".")
            edges.append((start, name, port))
    places = {name: (layout[name][0] * COLUMN / 240, layout[name][1] * ROW / 80) for name in nodes}
    cards = {}
    for name, node in nodes.items():
        below = node["uses"].split("@")[0] + (" for each item" if "for_each" in node else "")
        cards[name] = dict(title=node.get("title", name), below=below, colour=COLOURS[manifest["category"]])
    # Nodes that people put closer together than a card is high are moved apart.
    for _ in range(3):
        for one in places:
            for other in places:
                (x1, y1), (x2, y2) = places[one], places[other]
                if one < other and abs(x1 - x2) < CARD[0] + 20 and abs(y1 - y2) < CARD[1] + 12:
                    low = other if y2 >= y1 else one
                    places[low] = (places[low][0], min(y1, y2) + CARD[1] + 16)
    return picture(manifest["title"]["en"], places, edges, cards)


def draw(folder):
    manifest = yaml.safe_load((folder / "template.yaml").read_text())
    if manifest["kind"] == "stack":
        return stack(yaml.safe_load((folder / "compose.yaml").read_text()), manifest)
    own, shipped = folder / "workflow.yaml", HERE.parent / "workflows" / folder.name / "workflow.yaml"
    return workflow(yaml.safe_load((own if own.exists() else shipped).read_text()), manifest)


def main(arguments):
    check = "--check" in arguments
    named = [HERE / name for name in arguments if name != "--check"]
    folders = named or sorted(path.parent for path in HERE.glob("*/*/template.yaml"))
    stale = []
    for folder in folders:
        drawn, file = draw(folder), folder / "preview.svg"
        if check and (not file.exists() or file.read_text() != drawn):
            stale.append(str(file.relative_to(HERE)))
        elif not check:
            file.write_text(drawn)
    if stale:
        sys.exit(f"not drawn from their documents: {', '.join(stale)}\nrun marketplace/preview.py")
    print(f"{len(folders)} drawings")


if __name__ == "__main__":
    main(sys.argv[1:])
