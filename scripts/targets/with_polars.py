#!/usr/bin/env python3
"""The events of `streamplat generate bench --out FILE.ndjson` by numpy and Polars, whole columns at a time.

    with_polars.py EVENTS FILE

The same nine columns of the same distributions as the project `scripts/bench` (UUIDs of version 4, rising times over two hours,
users by Zipf 0.8, values from the same lists with the same weights, lognormal amounts), not the same events. Blocks of 250,000 rows
are made and written one after the other, so that memory stays within the caches' reach.
"""
import sys

import numpy
import polars

START, SPAN, USERS, BLOCK = 1_704_067_200_000, 7_200_000, 100_000, 250_000
DEVICES = ["mobile", "desktop", "tablet"]
COUNTRIES = ["US", "IN", "GB", "DE", "BR", "FR", "JP", "CA", "MX", "ES",
             "IT", "AU", "NL", "KR", "PL", "SE", "TR", "ID", "ZA", "AR"]
CATEGORIES = ["electronics", "clothing", "home", "books", "toys", "sports",
              "beauty", "grocery", "garden", "automotive", "jewelry", "music"]


def zipf(count, exponent):
    summed = numpy.cumsum(1.0 / numpy.arange(1, count + 1) ** exponent)
    return summed / summed[-1]


def picked(words, codes):
    return polars.Series(words).gather(codes)


def block(chance, first, size, events, users):
    raw = chance.integers(0, 1 << 64, (size, 2), dtype=numpy.uint64)
    # The digits of a version 4 UUID.
    raw[:, 0] = raw[:, 0] & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
    raw[:, 1] = raw[:, 1] & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    digits = numpy.frombuffer(raw.byteswap().tobytes().hex().encode(), dtype=numpy.uint8).reshape(size, 32)
    text = numpy.full((size, 36), ord("-"), dtype=numpy.uint8)
    for out, start, length in ((0, 0, 8), (9, 8, 4), (14, 12, 4), (19, 16, 4), (24, 20, 12)):
        text[:, out:out + length] = digits[:, start:start + length]
    time = START + (numpy.arange(first, first + size, dtype=numpy.int64) * SPAN + chance.integers(0, SPAN, size)) // events
    return polars.DataFrame({
        "event_id": polars.Series(text.reshape(-1).view("S36")).cast(polars.String),
        "timestamp": polars.Series(time).cast(polars.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
        "user_id": polars.Series(numpy.searchsorted(users, chance.random(size)) + 1).cast(polars.String).str.zfill(6),
        "device_type": picked(DEVICES, chance.integers(0, len(DEVICES), size)),
        "country": picked(COUNTRIES, chance.integers(0, len(COUNTRIES), size)),
        "category": picked(CATEGORIES, chance.integers(0, len(CATEGORIES), size)),
        "quantity": chance.integers(1, 11, size),
        "unit_price": 30 * numpy.exp(0.9 * chance.standard_normal(size)),
        "total_amount": 50 * numpy.exp(1.1 * chance.standard_normal(size)),
    }).with_columns(polars.concat_str(polars.lit("user_"), polars.col("user_id")).alias("user_id"))


def main():
    events, path = int(sys.argv[1]), sys.argv[2]
    chance, users = numpy.random.default_rng(42), zipf(USERS, 0.8)
    with open(path, "wb") as out:
        for first in range(0, events, BLOCK):
            block(chance, first, min(BLOCK, events - first), events, users).write_ndjson(out)


if __name__ == "__main__":
    main()
