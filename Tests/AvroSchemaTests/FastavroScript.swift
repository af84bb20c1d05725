/// Judges pairs of schemas with fastavro: a reader goes with a writer if it reads every datum of a set in which each
/// union branch and each enum symbol of the writer occurs. The data are encoded by the script itself, so that only the
/// reading is fastavro's. Input: lines of `{"reader": …, "writer": …}`; output: a line of `yes`, `no` or `crash …` each.
let fastavroScript = #"""
    import io, json, struct, sys
    import fastavro
    from fastavro._read_common import SchemaResolutionError

    def long(n):
        n = (n << 1) ^ (n >> 63)
        out = bytearray()
        while n > 0x7f:
            out.append(n & 0x7f | 0x80)
            n >>= 7
        out.append(n)
        return bytes(out)

    def text(data):
        return long(len(data)) + data

    PRIMITIVES = {
        "null": [b""], "boolean": [b"\0", b"\1"], "int": [long(0), long(-7), long(2 ** 31 - 1)],
        "long": [long(0), long(-7), long(2 ** 40)], "float": [struct.pack("<f", 1.5)],
        "double": [struct.pack("<d", -2.25)], "string": [text(b""), text("aé".encode())],
        "bytes": [text(b""), text(b"xy")],
    }

    def data(schema, names, depth):
        if isinstance(schema, list):
            return [long(i) + d for i, branch in enumerate(schema) for d in data(branch, names, depth)]
        if isinstance(schema, str):
            if schema in PRIMITIVES:
                return PRIMITIVES[schema]
            return data(names[schema], names, depth + 1) if depth < 3 else []
        kind = schema["type"]
        if kind in ("record", "enum", "fixed"):
            names[schema["name"]] = schema
        if kind == "enum":
            return [long(i) for i in range(len(schema["symbols"]))]
        if kind == "fixed":
            return [b"a" * schema["size"]]
        if kind == "array":
            items = data(schema["items"], names, depth)
            return [b"\0"] + ([long(len(items)) + b"".join(items) + b"\0"] if items else [])
        if kind == "map":
            values = data(schema["values"], names, depth)
            body = b"".join(text(b"k%d" % i) + v for i, v in enumerate(values))
            return [b"\0"] + ([long(len(values)) + body + b"\0"] if values else [])
        if kind == "record":
            columns = [data(f["type"], names, depth) for f in schema["fields"]]
            if not all(columns):
                return []
            return [b"".join(c[i % len(c)] for c in columns) for i in range(max(map(len, columns), default=1))]
        return data(kind, names, depth)

    for line in sys.stdin:
        pair = json.loads(line)
        verdict = "yes"
        for datum in data(pair["writer"], {}, 0):
            try:
                source = io.BytesIO(datum)
                fastavro.schemaless_reader(source, pair["writer"], pair["reader"])
                if source.read(1):
                    verdict = "crash: bytes are left"
            except SchemaResolutionError:
                verdict = "no"
                break
            except Exception as error:
                verdict = "crash: %s %s" % (type(error).__name__, error)
                break
        print(verdict.replace("\n", " "))
    """#
