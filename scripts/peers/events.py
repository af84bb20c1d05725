#!/usr/bin/env python3
"""Purchases for the comparison with peers: the same number and seed give the same bytes, in any of the forms.

    events.py --events 1000000 --out .peers/data [--seed 42] [--forms ndjson,shuffled,avro] [--hours 2]

Writes purchases-N.ndjson, purchases-N-shuffled.ndjson (the same events; the keys of every line in an order of its own, and in
half of the lines a string with an escape), purchases-N.avro (container, no compression, `timestamp` a plain long) and
flush.ndjson: one event an hour later, which moves the watermark of engines that otherwise keep the last windows back.

Event time runs over --hours from 2024-01-01 (other than two, the names end in `-20h`, say); one event in five is up to five
seconds late. 100,000 users of Zipf activity (exponent 0.9), three devices, twenty countries (0.8), twelve categories (0.5),
lognormal prices. Blocks of rows have a seed each, so any number of events fits in memory.
"""
import argparse
import os

import numpy

START = 1_704_067_200_000
HOUR = 3_600_000
HOURS = 2
LATE = 5_000
USERS = 100_000
BLOCK = 250_000
DEVICES = ["mobile", "desktop", "tablet"]
DEVICE_SHARES = [0.58, 0.33, 0.09]
COUNTRIES = ["US", "IN", "GB", "DE", "BR", "FR", "JP", "CA", "MX", "ES",
             "IT", "AU", "NL", "KR", "PL", "SE", "TR", "ID", "ZA", "AR"]
CATEGORIES = ["electronics", "clothing", "home", "books", "toys", "sports",
              "beauty", "grocery", "garden", "automotive", "jewelry", "music"]

FIELDS = [("event_id", "string"), ("timestamp", "long"), ("user_id", "string"), ("device_type", "string"),
          ("country", "string"), ("category", "string"), ("quantity", "int"), ("unit_price", "double"),
          ("total_amount", "double")]
NAMES = [name for name, _ in FIELDS]
FORMATS = {"string": '"%s"', "long": "%d", "int": "%d", "double": "%r"}
KEYED = {kind: form.replace("%", "%%(%s)") for kind, form in FORMATS.items()}
LINE = "{" + ",".join(f'"{name}":{FORMATS[kind]}' for name, kind in FIELDS) + "}\n"
FLUSH = ("ffffffff-ffff-4fff-bfff-ffffffffffff", START + (HOURS + 1) * HOUR, "user_0", "mobile", "US", "music", 1, 1.0, 1.0)
# Many enough that no two neighbouring lines are alike, few enough that making them costs nothing.
ORDERS = 1024


def zipf(count, exponent):
    summed = numpy.cumsum(1.0 / numpy.arange(1, count + 1) ** exponent)
    return summed / summed[-1]


USER_SHARES, COUNTRY_SHARES, CATEGORY_SHARES = zipf(USERS, 0.9), zipf(20, 0.8), zipf(12, 0.5)


def rows(events, seed, hours):
    """Tuples in the order of FIELDS."""
    for first in range(0, events, BLOCK):
        size = min(BLOCK, events - first)
        chance = numpy.random.Generator(numpy.random.PCG64([seed, first]))
        time = START + (numpy.arange(first, first + size, dtype=numpy.int64) * hours * HOUR) // events
        late = numpy.where(chance.random(size) < 0.2, chance.integers(0, LATE + 1, size), 0)
        time = numpy.maximum(START, time - late)
        user = numpy.searchsorted(USER_SHARES, chance.random(size))
        device = numpy.searchsorted(numpy.cumsum(DEVICE_SHARES), chance.random(size)).clip(0, 2)
        country = numpy.searchsorted(COUNTRY_SHARES, chance.random(size))
        category = numpy.searchsorted(CATEGORY_SHARES, chance.random(size))
        quantity = 1 + numpy.minimum(chance.geometric(0.55, size) - 1, 9)
        price = numpy.round(numpy.exp(chance.normal(3.4, 0.9, size)).clip(0.5, 5000), 2)
        total = numpy.round(price * quantity, 2)
        raw = chance.integers(0, 256, (size, 16), dtype=numpy.uint8)
        # The digits of a version 4 UUID.
        raw[:, 6] = (raw[:, 6] & 0x0F) | 0x40
        raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
        digits = raw.tobytes().hex()
        columns = zip(*(column.tolist() for column in (time, user, device, country, category, quantity, price, total)))
        for index, (at, who, what, where, kind, count, each, whole) in enumerate(columns):
            text = digits[32 * index:32 * index + 32]
            yield (f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}", at, f"user_{who}", DEVICES[what],
                   COUNTRIES[where], CATEGORIES[kind], count, each, whole)


def shuffled_lines(events, seed, hours):
    chance = numpy.random.Generator(numpy.random.PCG64([seed, 1 << 40]))
    orders = []
    for _ in range(ORDERS):
        fields = [FIELDS[position] for position in chance.permutation(len(FIELDS))]
        orders.append("{" + ",".join(f'"{name}":{KEYED[kind] % name}' for name, kind in fields) + "}\n")
    for index, row in enumerate(rows(events, seed, hours)):
        values = dict(zip(NAMES, row))
        # A reader must undo these escapes to find the same group and the same user.
        if index % 4 == 1:
            values["user_id"] = "\\u0075" + values["user_id"][1:]
        elif index % 4 == 3:
            values["device_type"] = values["device_type"][:-1] + f"\\u{ord(values['device_type'][-1]):04x}"
        yield orders[index * 389 % ORDERS] % values


def text_file(path, lines):
    with open(path, "w", encoding="ascii", buffering=1 << 20) as out:
        out.writelines(lines)


def avro_file(path, events, seed, hours):
    import fastavro
    schema = {"type": "record", "name": "Purchase", "namespace": "bench.ecommerce",
              "fields": [{"name": name, "type": kind} for name, kind in FIELDS]}
    with open(path, "wb") as out:
        fastavro.writer(out, schema, (dict(zip(NAMES, row)) for row in rows(events, seed, hours)), codec="null",
                        sync_interval=1 << 18, sync_marker=b"streamplat-peers")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=42)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--forms", default="ndjson,shuffled,avro")
    arguments.add_argument("--hours", type=int, default=HOURS)
    options = arguments.parse_args()
    os.makedirs(options.out, exist_ok=True)
    what = (options.events, options.seed, options.hours)
    base = os.path.join(options.out, f"purchases-{options.events}" + (f"-{options.hours}h" if options.hours != HOURS else ""))
    writers = {
        "ndjson": (f"{base}.ndjson", lambda path: text_file(path, (LINE % row for row in rows(*what)))),
        "shuffled": (f"{base}-shuffled.ndjson", lambda path: text_file(path, shuffled_lines(*what))),
        "avro": (f"{base}.avro", lambda path: avro_file(path, *what)),
    }
    for form in options.forms.split(","):
        path, write = writers[form]
        if not os.path.exists(path):
            # Under another name until it is whole: a file that is there is complete.
            write(f"{path}.part")
            os.replace(f"{path}.part", path)
    text_file(os.path.join(options.out, "flush.ndjson"), [LINE % FLUSH])


if __name__ == "__main__":
    main()
