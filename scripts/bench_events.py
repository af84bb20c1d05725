#!/usr/bin/env python3
"""Purchases for the benchmark as NDJSON: the same number and seed give the same bytes. Needs nothing but Python.

    bench_events.py --events 1000000 --out purchases.ndjson [--seed 42] [--minutes 120]

Event time runs over two hours, or so many minutes, from 2024-01-01; one event in five is up to five seconds late. 100,000 users of Zipf
activity (exponent 0.9), three devices, twenty countries (0.8), twelve categories (0.5), lognormal prices.
"""
import argparse
import itertools
import os
import random

START = 1_704_067_200_000
LATE = 5_000
USERS = 100_000
DEVICES = {"mobile": 0.58, "desktop": 0.33, "tablet": 0.09}
COUNTRIES = ["US", "IN", "GB", "DE", "BR", "FR", "JP", "CA", "MX", "ES",
             "IT", "AU", "NL", "KR", "PL", "SE", "TR", "ID", "ZA", "AR"]
CATEGORIES = ["electronics", "clothing", "home", "books", "toys", "sports",
              "beauty", "grocery", "garden", "automotive", "jewelry", "music"]
BLOCK = 10_000


def zipf(count, exponent):
    return list(itertools.accumulate(1 / rank ** exponent for rank in range(1, count + 1)))


def lines(events, seed, span):
    chance = random.Random(seed)
    users, countries, categories = zipf(USERS, 0.9), zipf(20, 0.8), zipf(12, 0.5)
    quantities = [0.55 * 0.45 ** step for step in range(9)] + [0.45 ** 9]
    for first in range(0, events, BLOCK):
        size = min(BLOCK, events - first)
        columns = zip(
            chance.choices(range(USERS), cum_weights=users, k=size),
            chance.choices(list(DEVICES), weights=DEVICES.values(), k=size),
            chance.choices(COUNTRIES, cum_weights=countries, k=size),
            chance.choices(CATEGORIES, cum_weights=categories, k=size),
            chance.choices(range(1, 11), weights=quantities, k=size))
        for index, (user, device, country, category, quantity) in enumerate(columns, first):
            time = START + index * span // events
            if chance.random() < 0.2:
                time = max(START, time - chance.randint(0, LATE))
            price = round(min(5000.0, max(0.5, chance.lognormvariate(3.4, 0.9))), 2)
            identity = f"{chance.getrandbits(128):032x}"
            # The digits of a version 4 UUID.
            identity = (f"{identity[:8]}-{identity[8:12]}-4{identity[13:16]}-"
                        f"{'89ab'[int(identity[16], 16) & 3]}{identity[17:20]}-{identity[20:]}")
            yield (f'{{"event_id":"{identity}","timestamp":{time},"user_id":"user_{user}","device_type":"{device}",'
                   f'"country":"{country}","category":"{category}","quantity":{quantity},"unit_price":{price!r},'
                   f'"total_amount":{round(price * quantity, 2)!r}}}\n')


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=42)
    arguments.add_argument("--minutes", type=int, default=120)
    arguments.add_argument("--out", required=True)
    options = arguments.parse_args()
    # Under another name until it is whole: a file that is there is complete.
    with open(f"{options.out}.part", "w", encoding="ascii", buffering=1 << 20) as out:
        out.writelines(lines(options.events, options.seed, options.minutes * 60_000))
    os.replace(f"{options.out}.part", options.out)


if __name__ == "__main__":
    main()
