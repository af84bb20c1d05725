"""What a domain file means, told again in DuckDB's SQL.

This is a second reading of the domain file, independent of streamplat: PyYAML reads it, the code below turns every
aggregation into one query over the events. Nothing here calls streamplat or reads what it wrote about the domain.

A domain file may say more than this reading knows; such things raise `NotCovered`, they are never skipped.
"""
import re

import yaml


class NotCovered(Exception):
    """The domain file says something that this oracle cannot compute."""


class CoreSchemaLoader(yaml.SafeLoader):
    """PyYAML reads YAML 1.1; in YAML 1.2 `NO` and `on` are strings and 1_000 is no number."""


CoreSchemaLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag == "tag:yaml.org,2002:merge"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for tag, pattern, first in [
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", "-+0123456789"),
    ("float", r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
]:
    CoreSchemaLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))

UNITS = {
    "ms": 1, "millisecond": 1, "milliseconds": 1, "s": 1000, "sec": 1000, "secs": 1000, "second": 1000, "seconds": 1000,
    "m": 60_000, "min": 60_000, "mins": 60_000, "minute": 60_000, "minutes": 60_000, "h": 3_600_000, "hour": 3_600_000,
    "hours": 3_600_000, "d": 86_400_000, "day": 86_400_000, "days": 86_400_000, "w": 604_800_000, "week": 604_800_000,
    "weeks": 604_800_000,
}
ROLES = ("attributes", "metrics", "dimensions", "fields")
DEFAULT_NAMES = {
    "count": "count", "count_distinct": "unique_count", "sum": "total", "avg": "average", "min": "min", "max": "max",
}
SCALARS = {
    "string": "VARCHAR", "int": "INTEGER", "long": "BIGINT", "float": "FLOAT", "double": "DOUBLE",
    "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP", "datetime": "TIMESTAMP", "uuid": "VARCHAR",
    "bytes": "VARCHAR",
}


def milliseconds(text):
    """`90s`, `5 minutes`, `1h 30m` in milliseconds."""
    parts = re.findall(r"([0-9.]+)\s*([a-z]+)", str(text))
    if not parts or re.sub(r"([0-9.]+)\s*([a-z]+)|\s", "", str(text)):
        raise NotCovered(f"the duration {text!r}")
    return round(sum(float(number) * UNITS[unit] for number, unit in parts))


class Field:
    """One field of an event type: its type in DuckDB, and how it stands in NDJSON."""

    def __init__(self, entry, role, types):
        entry = {"name": entry} if isinstance(entry, str) else dict(entry)
        self.name, self.role = entry["name"], role
        declared = entry.get("type", {"attributes": "string", "metrics": "double", "dimensions": "string"}.get(role))
        while isinstance(declared, str) and declared in types:
            declared = types[declared]
        if isinstance(declared, dict):
            entry = {**declared, **{key: value for key, value in entry.items() if key != "type"}}
            declared = entry["type"]
        self.type, self.children, self.scale = declared, [], None
        if declared == "record":
            self.children = [Field(child, "fields", types) for child in entry["fields"]]
        elif declared == "money":
            self.scale = int(entry.get("scale", 2))

    @property
    def stored_name(self):
        return f"{self.name}_cents" if self.type == "money" else self.name

    @property
    def json_type(self):
        """The type under which DuckDB reads it from NDJSON."""
        kind = self.type
        if kind == "record":
            return "STRUCT(" + ", ".join(f'"{c.stored_name}" {c.json_type}' for c in self.children) + ")"
        if kind == "money":
            return "BIGINT"
        if kind == "enum":
            return "VARCHAR"
        if kind in SCALARS:
            return SCALARS[kind]
        if re.fullmatch(r"decimal\s*\(.*\)", kind):
            return kind.upper()
        if kind.startswith(("array<", "map<")):
            return "JSON"
        raise NotCovered(f"the type {kind!r} of field '{self.name}'")


class EventType:
    def __init__(self, node, entity_key, types):
        self.name, self.key = node["name"], entity_key
        self.fields = [Field(entry, role, types) for role in ROLES for entry in node.get(role) or []]

    def find(self, path):
        """(SQL expression, kind, scale) of a reference such as `metrics.total_amount`, or None.

        kind: int, double, decimal, text, timestamp, date, boolean.
        """
        words = path.split(".")
        if words[0] in ROLES and len(words) > 1:
            words = words[1:]
        if words == ["entity_id"] or words == [self.key]:
            return f'"{self.key}"', "text", None
        if words == ["event_id"] or words == ["event_type"]:
            return f'"{words[0]}"', "text", None
        if words == ["timestamp"]:
            return '"timestamp"', "timestamp", None
        fields, prefix = self.fields, []
        for index, word in enumerate(words):
            last = index == len(words) - 1
            for field in fields:
                if last and field.type == "money" and word in (field.name, field.stored_name):
                    sql = ".".join(f'"{part}"' for part in prefix + [field.stored_name])
                    return (sql, "int", None) if word == field.stored_name else (money(sql, field.scale), "money", field.scale)
                if word == field.name and last and field.type != "record":
                    return ".".join(f'"{part}"' for part in prefix + [word]), kind_of(field), decimal_scale(field)
                if word == field.name and field.type == "record" and not last:
                    fields, prefix = field.children, prefix + [word]
                    break
            else:
                return None
        return None


def kind_of(field):
    if field.type in ("int", "long"):
        return "int"
    if field.type in ("float", "double"):
        return "double"
    if field.type in ("timestamp", "datetime"):
        return "timestamp"
    if field.type in ("date", "boolean"):
        return field.type
    return "decimal" if str(field.type).startswith("decimal") else "text"


def decimal_scale(field):
    match = re.fullmatch(r"decimal\s*\(\s*\d+\s*,\s*(\d+)\s*\)", str(field.type))
    return int(match.group(1)) if match else None


def money(column, scale):
    """An exact decimal of a count of minor units."""
    return f"(CAST({column} AS DECIMAL(20, 0)) * CAST('{10 ** -scale:.{scale}f}' AS DECIMAL({scale + 1}, {scale})))"


class Domain:
    def __init__(self, path):
        with open(path, "rb") as file:
            node = yaml.load(file, CoreSchemaLoader)
        self.name = node["domain"]
        key = node["entity"]["primary_key"]
        types = node.get("types") or {}
        self.event_types = [EventType(entry, key, types) for entry in node["event_types"]]
        self.aggregations = [Aggregation(entry, self) for entry in node.get("aggregations") or []]

    def columns(self):
        """Column names and DuckDB types of a line of NDJSON, over all event types."""
        key = self.event_types[0].key
        columns = {"event_type": "VARCHAR", "event_id": "VARCHAR", "timestamp": "TIMESTAMP", key: "VARCHAR"}
        for event_type in self.event_types:
            for field in event_type.fields:
                columns.setdefault(field.stored_name, field.json_type)
        return columns

    def load(self, connection, paths, only_type=None):
        """The table `events` from NDJSON files; `only_type` names the event type of lines that do not say it."""
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in self.columns().items())
        files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        named = f"coalesce(event_type, '{only_type}')" if only_type else "event_type"
        connection.execute(
            f"CREATE TABLE events AS SELECT * REPLACE ({named} AS event_type), epoch_ms(\"timestamp\") AS __ms FROM "
            f"read_json([{files}], format = 'newline_delimited', columns = {{{types}}})")


class Measure:
    def __init__(self, node, aggregation):
        self.function = node["type"]
        if self.function not in DEFAULT_NAMES:
            raise NotCovered(f"the measure type {self.function!r}")
        self.column = node.get("as") or node.get("name") or DEFAULT_NAMES[self.function]
        self.filter = aggregation.condition(node["filter"]) if node.get("filter") else None
        self.kind = self.scale = self.argument = None
        if node.get("field"):
            self.argument, self.kind, self.scale = aggregation.reference(node["field"])

    def sql(self):
        """Expressions that DuckDB gives back exactly; `value` makes the result of them."""
        condition = f" FILTER (WHERE {self.filter})" if self.filter else ""
        argument = self.argument
        if self.function == "count":
            return [f"count({argument or '*'}){condition}"]
        if self.function == "count_distinct":
            return [f"count(DISTINCT {argument}){condition}"]
        if self.function in ("min", "max"):
            return [f"{self.function}({argument}){condition}"]
        if self.kind == "double":
            # The values themselves: they are summed exactly in Python.
            return [f"list({argument}::DOUBLE){condition}"]
        return [f"sum({argument}){condition}", f"count({argument}){condition}"]

    @property
    def comparison(self):
        """How a cell of this measure is compared: exact | decimal | double | timestamp | text."""
        if self.function in ("count", "count_distinct"):
            return "exact"
        if self.function == "avg":
            return "decimal" if self.kind in ("money", "decimal") else "double"
        return {"int": "exact", "money": "decimal", "decimal": "decimal", "double": "double",
                "timestamp": "timestamp"}.get(self.kind, "text")


class Aggregation:
    def __init__(self, node, domain):
        self.name = node["name"]
        self.filter_node = node.get("filter")
        self.inputs = self.find_inputs(node, domain)
        self.window = node["window"]
        self.kind = self.window["type"]
        if self.kind not in ("tumbling", "sliding", "cumulate", "session") or self.window.get("timezone", "UTC") != "UTC":
            raise NotCovered(f"the window of '{self.name}'")
        self.duration = milliseconds(self.window["gap" if self.kind == "session" else "duration"])
        self.slide = milliseconds(self.window.get("slide", self.window.get("step", self.duration_text())))
        origin = self.window.get("origin", "0s")
        self.origin = milliseconds(origin)
        self.filter = self.condition(self.filter_node) if self.filter_node else None
        self.groups = [self.group(path) for path in node.get("group_by") or []]
        # In the short form the filter is the aggregation's own.
        short = {key: value for key, value in node.items() if key not in ("filter", "name")}
        self.measures = [Measure(entry, self) for entry in node.get("measures") or [short]]

    def duration_text(self):
        return self.window["gap" if self.kind == "session" else "duration"]

    def find_inputs(self, node, domain):
        if node.get("from"):
            names = [node["from"]] if isinstance(node["from"], str) else node["from"]
            return [event for event in domain.event_types if event.name in names]
        named = [e for e in domain.event_types if re.search(rf"event_type\s*=\s*'{e.name}'", str(self.filter_node))]
        if named:
            return named
        references = list(node.get("group_by") or []) + [m["field"] for m in node.get("measures") or [node] if m.get("field")]
        return [e for e in domain.event_types if all(e.find(path) for path in references)]

    def reference(self, path):
        found = [event.find(path) for event in self.inputs]
        if not found or any(one != found[0] for one in found):
            raise NotCovered(f"'{path}' in '{self.name}': no or no common meaning")
        return found[0]

    def group(self, path):
        sql, kind, _ = self.reference(path)
        words = path.split(".")
        if words[0] in ROLES and len(words) > 1:
            words = words[1:]
        name = self.inputs[0].key if words == ["entity_id"] else "_".join(words)
        comparison = {"double": "double", "decimal": "decimal", "timestamp": "timestamp", "int": "exact",
                      "boolean": "exact"}.get(kind, "text")
        return name, sql, comparison

    # Conditions, in both spellings.

    OPERATORS = {
        "eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "equals": "=", "not_equals": "<>",
        "greater_than": ">", "greater_than_or_equal": ">=", "less_than": "<", "less_than_or_equal": "<=",
    }

    def condition(self, node):
        if isinstance(node, list):
            return "(" + " AND ".join(self.condition(one) for one in node) + ")"
        if isinstance(node, str):
            return "(" + self.expression(node) + ")"
        for word in ("and", "or"):
            if word in node:
                return "(" + f" {word} ".join(self.condition(one) for one in node[word]) + ")"
        if "not" in node:
            return f"(NOT {self.condition(node['not'])})"
        field, operator, value = self.reference(node["field"])[0], node["operator"], node.get("value")
        if operator in self.OPERATORS:
            return f"({field} {self.OPERATORS[operator]} {literal(value)})"
        if operator in ("in", "not_in"):
            return f"({field} {operator.replace('_', ' ')} ({', '.join(map(literal, value))}))"
        if operator in ("is_null", "is_not_null"):
            return f"({field} {operator.replace('_', ' ')})"
        if operator == "between":
            return f"({field} BETWEEN {literal(value[0])} AND {literal(value[1])})"
        raise NotCovered(f"the operator {operator!r}")

    def expression(self, text):
        """SQL text with every reference replaced by its column; words that are none stay (keywords, functions)."""
        def replace(match):
            if match.group(1) is not None:
                return match.group(0)
            found = {event.find(match.group(2)) for event in self.inputs}
            if len(found) == 1 and None not in found:
                return found.pop()[0]
            return match.group(0)
        return re.sub(r"('(?:[^']|'')*')|([A-Za-z_][A-Za-z_0-9.]*)", replace, text)

    def query(self):
        """Rows: window start and end in milliseconds, groups, then each measure's expressions."""
        names = ", ".join(f"'{event.name}'" for event in self.inputs)
        if self.kind == "session":
            return self.session_query(names)
        if self.kind == "cumulate":
            return self.cumulate_query(names)
        start = f"(__ms - ((__ms - {self.origin}) % {self.slide} + {self.slide}) % {self.slide})"
        if self.slide == self.duration:
            windows = start
        else:
            # Every start s with s <= time < s + duration, the latest first.
            windows = f"unnest(range({start}, __ms - {self.duration}, -{self.slide}))"
        where = f" AND {self.filter}" if self.filter else ""
        columns = ["__start", f"__start + {self.duration}"] + [sql for _, sql, _ in self.groups]
        keys = ", ".join(["__start"] + [sql for _, sql, _ in self.groups])
        columns += [sql for measure in self.measures for sql in measure.sql()]
        return (
            f"WITH placed AS (SELECT *, {windows} AS __start FROM events WHERE event_type IN ({names}){where}) "
            f"SELECT {', '.join(columns)} FROM placed GROUP BY {keys}")


    def cumulate_query(self, names):
        """Every end e with time < e <= start + duration, in steps."""
        start = f"(__ms - ((__ms - {self.origin}) % {self.duration} + {self.duration}) % {self.duration})"
        first = f"({start} + ((__ms - {start}) // {self.slide} + 1) * {self.slide})"
        ends = f"unnest(range({first}, {start} + {self.duration} + 1, {self.slide}))"
        where = f" AND {self.filter}" if self.filter else ""
        groups = [sql for _, sql, _ in self.groups]
        columns = ["__start", "__end"] + groups + [sql for measure in self.measures for sql in measure.sql()]
        return (
            f"WITH placed AS (SELECT *, {start} AS __start, {ends} AS __end FROM events "
            f"WHERE event_type IN ({names}){where}) "
            f"SELECT {', '.join(columns)} FROM placed GROUP BY {', '.join(['__start', '__end'] + groups)}")

    def session_query(self, names):
        """A session begins with an event that is a gap or more behind the one before it in its group."""
        where = f" AND {self.filter}" if self.filter else ""
        groups = [sql for _, sql, _ in self.groups]
        partition = f"PARTITION BY {', '.join(groups)} " if groups else ""
        columns = ["min(__ms)", f"max(__ms) + {self.duration}"] + groups
        columns += [sql for measure in self.measures for sql in measure.sql()]
        return (
            f"WITH marked AS (SELECT *, coalesce(__ms - lag(__ms) OVER ({partition}ORDER BY __ms) >= {self.duration}, true)"
            f"::INTEGER AS __new FROM events WHERE event_type IN ({names}){where}), "
            f"placed AS (SELECT *, sum(__new) OVER ({partition}ORDER BY __ms ROWS UNBOUNDED PRECEDING) AS __session FROM marked) "
            f"SELECT {', '.join(columns)} FROM placed GROUP BY {', '.join(['__session'] + groups)}")


def literal(value):
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"
