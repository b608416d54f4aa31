"""What the streaming detector finds on made-up and, if given, real metrics: the guide's table.

python benchmarks/detector.py [--series DIR] writes docs/guides/timeseries-detector.md and its
pictures. DIR holds CSV files of timestamp and value and anomaly_windows.json, which names
the labelled windows of each file.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import time
from pathlib import Path

import numpy as np

from shared.timeseries import AnomalyDetector, TimeSeries, plot

DOCS = Path(__file__).resolve().parents[3] / "docs" / "guides"
START = dt.datetime(2024, 1, 1)
STEP = dt.timedelta(minutes=5)


def made():
    """Name, values and the positions where something starts (and how long it may be reported)."""
    size = 4032
    at = np.arange(size)
    random = np.random.default_rng(2024)
    noise = 50 + random.normal(0, 3, size)
    season = 100 + 40 * np.sin(2 * np.pi * at / 288) + random.normal(0, 4, size)

    yield "constant", np.full(size, 20.0), []
    yield "noise", noise, []
    yield "daily season", season, []
    yield "drift (3 deviations in 2 weeks)", noise + at * 0.002, []
    spikes = noise.copy()
    spikes[[1500, 2300, 3400]] += [40, -35, 60]
    yield "three spikes", spikes, [(1500, 6), (2300, 6), (3400, 6)]
    regular = noise.copy()
    regular[at % 144 < 2] += 60
    yield "a job's spike twice a day", regular, []
    shift = noise.copy()
    shift[2000:] += 25
    yield "level shift", shift, [(2000, 60)]
    missing = season.copy()
    missing[288 * 10 + 20 : 288 * 10 + 124] = 100 + random.normal(0, 4, 104)
    yield "a day without its peak", missing, [(288 * 10 + 20, 104)]
    outage = season.copy()
    outage[2600:2630] = 0
    yield "outage in a season", outage, [(2600, 30)]
    burst = random.poisson(8, size).astype(float)
    burst[3000:3040] = random.poisson(60, 40)
    yield "burst of counts", burst, [(3000, 40)]
    silent = noise.copy()
    silent[2200:2500] = np.nan
    yield "silence (unknown for a day)", silent, []
    louder = noise.copy()
    louder[2800:3100] = 50 + random.normal(0, 12, 300)
    yield "noise four times as loud", louder, [(2800, 300)]


def real(folder):
    labels = json.loads((folder / "anomaly_windows.json").read_text())
    for name, windows in labels.items():
        with (folder / name).open() as file:
            rows = list(csv.reader(file))[1:]
        times = [dt.datetime.fromisoformat(row[0]) for row in rows]
        spans = []
        for pair in windows:
            left, right = (dt.datetime.fromisoformat(t) for t in pair)
            inside = [i for i, t in enumerate(times) if left <= t <= right]
            spans.append((inside[0], len(inside)))
        yield name.removesuffix(".csv"), times, np.array([float(row[1]) for row in rows]), spans


def judge(name, times, values, events):
    detector = AnomalyDetector()
    begin = time.perf_counter()
    found = [detector.update(t, v) for t, v in zip(times, values, strict=True)]
    cost = (time.perf_counter() - begin) / len(values) * 1e6
    alerts = [i for i, f in enumerate(found) if f.is_anomaly]
    delays, inside = [], set()
    for start, length in events:
        mine = [i for i in alerts if start <= i < start + length]
        inside.update(mine)
        delays.append(str(mine[0] - start) if mine else "missed")
    false = len(alerts) - len(inside)
    hit = sum(d != "missed" for d in delays)
    print(
        f"{name:36s} {len(values):6d} {hit}/{len(events)} {', '.join(delays):24s} false {false} {cost:.1f} us"
    )
    row = f"| {name} | {len(values):,} | {hit} of {len(events)} | {', '.join(delays) or '-'} | {false} |"
    return row, found


def picture(slug, name, times, values, events, found):
    marked = [(times[s], times[min(s + n, len(times) - 1)]) for s, n in events]
    series = TimeSeries(times, values)
    figure = plot(series, anomalies=found, windows=marked, title=name)
    (DOCS / "timeseries").mkdir(parents=True, exist_ok=True)
    figure.savefig(DOCS / "timeseries" / f"{slug}.png", dpi=80)
    return f"![{name}](timeseries/{slug}.png)\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=Path)
    folder = parser.parse_args().series
    head = [
        "| Series | Points | Found | Points until reported | False alarms |",
        "|---|---|---|---|---|",
    ]
    rows, pictures = [], []
    times = [START + STEP * i for i in range(4032)]
    for number, (name, values, events) in enumerate(made()):
        row, found = judge(name, times, values, events)
        rows.append(row)
        if name in {"level shift", "a day without its peak", "a job's spike twice a day"}:
            pictures.append(picture(f"made-{number}", name, times, values, events, found))
    text = [
        "# What the streaming detector finds", "",
        "Written by `packages/shared-timeseries/benchmarks/detector.py`. One set of defaults, one",
        "pass, no look-ahead. *Points until reported* counts from the start of the event; each event is",
        "judged over its own length.", "", "## Made-up metrics", "",
        "Two weeks of five-minute points each.", "", *head, *rows, "", *pictures,
    ]  # fmt: skip
    if folder:
        rows, pictures = [], []
        for name, at, values, events in real(folder):
            row, found = judge(name, at, values, events)
            rows.append(row)
            pictures.append(picture(f"real-{name}", name, at, values, events, found))
        text += [
            "## Real metrics", "",
            "Three series of the Numenta Anomaly Benchmark, which are not part of this repository.",
            "Its windows start well before the anomaly on which they are centred; alerts outside a",
            "window, also the detector's first days, count as false.", "", *head, *rows, "", *pictures,
        ]  # fmt: skip
    (DOCS / "timeseries-detector.md").write_text("\n".join(text))


if __name__ == "__main__":
    main()
