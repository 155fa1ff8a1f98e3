"""raw.tsv load.tsv -> the table, as Markdown on stdout: medians, and ratios to the plain pgbench figures."""
import csv
import sys
from collections import defaultdict
from statistics import mean, median

rows = list(csv.reader(open(sys.argv[1]), delimiter="\t", quoting=csv.QUOTE_NONE))
load = list(csv.DictReader(open(sys.argv[2]), delimiter="\t"))

runs, env, checks = defaultdict(list), [], {}
for store, test, conc, rate, failed, note in rows:
    if store == "env":
        env.append((test, note))
    elif test == "check":
        checks[store] = note
    else:
        runs[store, test, int(conc)].append((float(rate), float(failed), note))
for key, values in runs.items():
    if key[1] == "read" and len(values) > 1:
        values.pop(0)  # warms up


def mid(store, test, conc):
    values = runs.get((store, test, conc))
    return median(v[0] for v in values) if values else None


# the pgbench figures have no run above 64 clients, the one of 100 rows none at 16: 64 and 8 stand for them
single = lambda conc: mid("physical", "single", min(conc, 64))
batch = lambda conc: mid("physical", "rows-100", {16: 8, 256: 64, 1000: 8}.get(conc, conc))
print("# Event stores against PostgreSQL: measured\n")
for test, note in env:
    print(f"- {test}: {note}")
others, steal = [int(l["others"]) for l in load], [int(l["steal"]) for l in load]
if load:
    print(f"- processor use of everything else while measuring: mean {mean(others):.0f}%, largest {max(others)}% of one core in 10 s"
          f" ({sum(o > 20 for o in others)} of {len(others)} such spans above 20%); stolen: mean {mean(steal):.0f}%, largest {max(steal)}%")
print("\nEvents per second, median of the runs; in brackets the smallest and largest. 'of single' and 'of 100 rows' are ratios"
      "\nto the plain pgbench INSERT with one and with 100 rows a transaction, at the same concurrency.\n")
print("| store | test | conc. | events/s | range | conflicts/s | of single | of 100 rows | note |")
print("| --- | --- | ---: | ---: | --- | ---: | ---: | ---: | --- |")
for (store, test, conc), values in runs.items():
    rates = [v[0] for v in values]
    writes = test not in ("fdatasync", "read", "control")
    ratio = lambda base: f"{median(rates) / base:.3g}" if writes and base else ""
    failed, note = median(v[1] for v in values), values[len(values) // 2][2]
    print(f"| {store} | {test} | {conc} | {median(rates):,.0f} | [{min(rates):,.0f} – {max(rates):,.0f}] | "
          f"{f'{failed:,.0f}' if failed else ''} | {ratio(single(conc))} | {ratio(batch(conc))} | {note} |")
base = mid("raw-sqlx", "read", 1)
print("\nReading from the start, against plain pages of 1000 through sqlx:\n")
print("| store | events/s | of raw-sqlx |\n| --- | ---: | ---: |")
for (store, test, conc), values in runs.items():
    if test == "read" and base:
        print(f"| {store} | {mid(store, test, conc):,.0f} | {mid(store, test, conc) / base:.3g} |")
print("\nAfter the concurrent appends, a read from the start:\n")
for store, note in checks.items():
    print(f"- {store}: {note}")
