"""Mistakes put into domain files, one at a time: what `bench.py` measures `streamplat validate` with.

Each is an edit of the text, as a person's slip would be: a key or a name with two letters swapped, a duration that is none, a
type that does not exist, a name given twice, a line that is gone, an indentation by tab, a bracket that is not closed.
"""
import re

KEYS = [
    "domain", "entity", "primary_key", "event_types", "attributes", "metrics", "dimensions", "fields", "aggregations",
    "from", "field", "filter", "window", "duration", "slide", "group_by", "measures", "watermark_delay", "metric_alerts",
    "event_alerts", "condition", "severity", "synthetic", "entity_pool_size", "patterns", "transitions", "types", "topic",
    "partitions", "retention", "sample_data",
]


def swapped(word):
    """The word with its first two neighbouring letters that differ swapped."""
    for index in range(1, len(word) - 1):
        if word[index] != word[index + 1] and word[index].isalpha() and word[index + 1].isalpha():
            return word[:index] + word[index + 1] + word[index] + word[index + 2:]
    return word + "x"


def edits(text):
    """(what was done, the text with one mistake), each place once."""
    def at(match, group, replacement, what):
        start, end = match.span(group)
        return f"{what} '{match.group(group)}'", text[:start] + replacement + text[end:]

    for key in KEYS:
        for match in list(re.finditer(rf"(?m)(?:^\s*(?:- )?|[{{,] ?)({key}):", text))[:1]:
            yield at(match, 1, swapped(key), "key")
    for match in re.finditer(r"(?:duration|slide|watermark_delay): (\d+ \w+)", text):
        yield at(match, 1, "soon", "duration")
    for match in re.finditer(r"(?m)^    (?:field: (?:\w+\.)?|from: \[|group_by: \[)(\w+)", text):
        yield at(match, 1, swapped(match.group(1)), "reference")
    for match in re.finditer(r"\btype: (\w+)", text):
        yield at(match, 1, swapped(match.group(1)), "type")
    names = list(re.finditer(r"(?m)^  - name: (\w+)$", text))
    for first, second in zip(names, names[1:]):
        # Only names of one list must differ.
        if not re.search(r"(?m)^\w", text[first.end():second.start()]):
            yield at(second, 1, first.group(1), "name")
    for match in re.finditer(r"(?m)^    (window: .*\n)", text):
        yield at(match, 1, "\n", "without")
    for match in list(re.finditer(r"(?m)^(    )(?:type|window|from)", text))[:2]:
        yield at(match, 1, "\t", "tab")
    for match in list(re.finditer(r"(?m): \[[^\]\n]*(\])", text))[:2]:
        yield at(match, 1, "", "unclosed")
