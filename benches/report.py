"""What script/bench has measured, as docs/benchmarks.md: FOLDER -> Markdown on standard output."""
import csv
import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

folder = Path(sys.argv[1])


def lines(name):
    path = folder / name
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")] if path.exists() else []


def number(value):
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|---" + "|---:" * (len(head) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(number(cell) for cell in row) + " |")
    print()


runs, env = defaultdict(list), {}
raw = folder / "raw.tsv"
for store, test, callers, rate, conflicts, note in csv.reader(raw.open(), delimiter="\t", quoting=csv.QUOTE_NONE) if raw.exists() else []:
    if store == "env":
        env.setdefault(test, note)
    else:
        runs[store, test, int(callers)].append((float(rate), float(conflicts), note))
for key, values in runs.items():
    if key[1] == "read" and len(values) > 1:
        values.pop(0)  # warms up


def mid(store, test, callers, column=0):
    values = runs.get((store, test, callers))
    return median(value[column] for value in values) if values else None


def of(value, base):
    return value / base if value is not None and base else None


print("# Measured\n")
print((folder / "head.md").read_text())

print("## Appends\n")
print("One event to a stream of its own, acknowledged, per second, medians. Beside it, in the same run on the same server: pgbench's")
print("inserts of one row and of 100 rows a transaction into the least table that an event store needs, and other event stores")
print("(`benches/peers`). 'of single' is of pgbench's single rows at as many clients (at most 64).\n")
for name in ("stores", "tools", "postgres"):
    if name in env:
        print(f"- {name}: {env[name]}")
baseline = [(f"pgbench, {label}", test) for label, test in (("one row", "single"), ("100 rows", "rows-100"))]
for label, test in baseline:
    found = sorted(callers for store, name, callers in runs if (store, name) == ("physical", test))
    print(f"- {label}: " + ", ".join(f"{number(mid('physical', test, callers))} at {callers}" for callers in found))
print()
stores = list(dict.fromkeys((store, test) for store, test, _ in runs if test.split(",")[0] == "append"))
stores.sort(key=lambda store: store[0] != "jumun")
rows = []
for store, test in stores:
    for callers in sorted(callers for name, other, callers in runs if (name, other) == (store, test)):
        rate = mid(store, test, callers)
        rows.append([store + test.removeprefix("append"), callers, rate, of(rate, mid("physical", "single", min(callers, 64))),
                     of(rate, mid("physical", "rows-100", 8)), of(mid("jumun", "append", callers), rate)])
table(["store", "callers", "per second", "of single", "of 100 rows at 8", "jumun is so many times that"], rows)

print("## One hot stream\n")
print("Callers that all append to one stream. A store that answers with a conflict is tried again; 'of many' is of what the same")
print("store reaches with as many callers and streams of their own.\n")
rows = []
for (store, test, callers) in sorted(runs, key=lambda key: key[0] != "jumun"):
    if test.startswith("hot"):
        rate = mid(store, test, callers)
        # Reservations of one item beside the same number of callers with streams of their own.
        base = mid(store, "hot", 64) if "two nodes" in test else mid(store, "append", callers)
        rows.append([f"{store}: {test}", callers, rate, mid(store, test, callers, 1), of(rate, base), runs[store, test, callers][-1][2]])
table(["store", "callers", "per second", "conflicts per second", "of many; two nodes: of one", ""], rows)

print("## Replay\n")
print("The whole log from its start, decoded, events per second; of plain pages of 1,000 rows through sqlx.\n")
base = mid("raw-sqlx", "read", 1)
rows = [[f"{store}: {test}", mid(store, test, callers), of(mid(store, test, callers), base)]
        for store, test, callers in sorted(runs, key=lambda key: key[0] != "jumun") if test.startswith("read")]
table(["store", "per second", "of raw-sqlx"], rows)

checks = [(store, runs[store, test, callers][-1][2]) for store, test, callers in runs if test == "check"]
if checks:
    print("Rows in the log in the end, and events that a reader from its start got:\n")
    table(["store", ""], sorted(checks, key=lambda check: check[0] != "jumun"))

shop = lines("shop.jsonl") + lines("shop-kafka.jsonl")
if shop:
    print("## The shop over HTTP\n")
    print("Closed loops without a pause, everything on the same two cores; columns 'shop', 'db' and 'load' are the cores that each used (of the")
    print("shop that is fed by Kafka without its servers). Searches and lists are 200 different pages, which the shop may give again for a second;")
    print("'all different' asks no question twice.\n")
    rows = [[f["point"], f["callers"] or "", f["per_second"], f["p50_ms"], f["p99_ms"], f["p999_ms"], f["refused"], f["failed"],
             *(f["cores"][who] for who in ("shop", "database", "generator"))] for f in shop if "p50_ms" in f]
    table(["what", "callers", "per second", "p50 ms", "p99 ms", "p99.9 ms", "refused", "failed", "shop", "db", "load"], rows)
    for held in (f for f in shop if "p50_ms" not in f):
        print(f"{held['point']}: {number(held['per_second'])} requests per second.\n")

others = defaultdict(list)
for run in lines("shops.jsonl"):
    others[run["peer"], run["label"], run["point"]].append(run)
if others:
    print("Other shops, taken the same way in the same run (`benches/commerce`); the last column is what jumun reaches, as a multiple:\n")
    own = {(f["point"], f["callers"]): f["per_second"] for f in shop if "callers" in f}
    names = {"checkout": "guest checkout, paid", "search": "search by a word", "list": "list products"}
    rows = []
    for (peer, label, point), group in others.items():
        kind, size = point.rsplit("-", 1)
        if kind in names:
            rate = median(run["perSecond"] for run in group)
            p50, p99 = (median(run["flow"].get(which) or 0 for run in group) for which in ("p50", "p99"))
            rows.append([f"{peer}, {label}: {names[kind]}", size, rate, p50, p99, of(own.get((names[kind], int(size))), rate)])
        elif kind == "hot":
            rows.append([f"{peer}, {label}: orders for 100 pieces", size, max(run["ok"] for run in group), None, None, None])
    table(["shop", "callers", "per second", "p50 ms", "p99 ms", "jumun"], rows)

replayed = lines("replay.jsonl")
if replayed:
    print("## Replay and rebuild of a log of orders\n")
    print("`bench replay`: medians; CPU time per event of this process and of PostgreSQL. 'COPY took' is the time of a COPY of the rows that")
    print("came of a rebuild into tables with all their indexes, of the time of the rebuild (0.5: twice as fast). Nothing is compared with the")
    print("running rows in the first run of each rebuild: there are none.\n")
    grouped = defaultdict(list)
    for line in replayed:
        grouped[line["what"]].append(line)
    middle = lambda what, key: median(line[key] for line in grouped[what])
    copies = {what.removeprefix("COPY of "): middle(what, "seconds") for what in grouped if what.startswith("COPY of ")}
    raw = next((middle(what, "per_second") for what in grouped if what.startswith("raw")), None)
    rows = []
    for what in grouped:
        rate = middle(what, "per_second")
        model = what.removeprefix("rebuild of ").split(",")[0]
        reads = what.startswith(("replay", "pages", "raw"))
        rows.append([what, middle(what, "events"), rate, middle(what, "own_us"), middle(what, "database_us"), of(rate, raw) if reads else None,
                     of(copies.get(model), middle(what, "seconds")) if what.startswith("rebuild of ") else None])
    table(["what", "events or rows", "per second", "own us", "db us", "of raw pages", "COPY took"], rows)

grown = lines("growth.jsonl")
if grown:
    print("## Growth\n")
    print("With that many events in the log: p50 in ms, and in brackets of what it was meanwhile, in turns, in a log of the first size; memory")
    print("in MB: of a process with engine and queries, and what PostgreSQL's backends have for themselves.\n")
    timed = lambda figure: f"{figure['p50_ms']:.2f} ({figure['of_least']:.2f})"
    table(["events", "append, 1 caller", "append, 64 callers", "query", "own MB", "db MB", "disk MB"],
          [[f"{line['events']:,}", timed(line["append"]["1"]), timed(line["append"]["64"]), timed(line["query"]),
            *(line["memory"][key] for key in ("own_mb", "database_mb", "disk_mb"))] for line in grown])
    roles = list(grown[0]["memory"]["roles_mb"])
    if roles:
        print("\nMemory in MB of each role as a process of its own, after 8 guests at once have opened carts and looked at them:\n")
        table(["events", *roles],
              [[f"{line['events']:,}", *(line["memory"]["roles_mb"][role] for role in roles)] for line in grown])
tail = folder / "tail.md"
if tail.exists():
    print(tail.read_text(), end="")
