#include "csimdjson.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "line_layout.h"

using namespace simdjson;

namespace {

// A wanted key at one level of nesting, or a key that was met and is not wanted.
struct Node {
    std::string name;
    // The full path, for the report of ignored keys.
    std::string path;
    // The index of its value; -1 when only its children are wanted or nothing of it is.
    int32_t slot = -1;
    bool wanted = true;
    uint64_t records = 0;
    std::vector<std::unique_ptr<Node>> children;
    // Keys mostly come in the same order, so the search begins after the last hit.
    size_t hint = 0;
};

constexpr size_t ignoredLimit = 256;
constexpr int depthLimit = 64;
constexpr size_t layoutLimit = 4;
// Longer ones are a rare thing to be the same in many lines.
constexpr size_t literalLimit = 256;
constexpr ptrdiff_t layoutLineLimit = 1 << 16;
constexpr unsigned layoutCreditLimit = 8;
constexpr unsigned layoutCreditStep = 64;

struct Fault {
    uint32_t status = SP_JSON_OK;
    uint32_t offset = 0;
};

uint32_t statusOf(error_code code) {
    switch (code) {
    case UTF8_ERROR: return SP_JSON_NOT_UTF8;
    case INCORRECT_TYPE: return SP_JSON_NOT_OBJECT;
    case DEPTH_ERROR: return SP_JSON_TOO_DEEP;
    case STRING_ERROR:
    case UNESCAPED_CHARS:
    case UNCLOSED_STRING: return SP_JSON_BAD_STRING;
    case NUMBER_ERROR:
    case NUMBER_OUT_OF_RANGE: return SP_JSON_BAD_NUMBER;
    case MEMALLOC: return SP_JSON_NO_MEMORY;
    default: return SP_JSON_MALFORMED;
    }
}

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool isDigit(char c) { return c >= '0' && c <= '9'; }

// JSON's number grammar (RFC 8259, section 6).
bool isNumber(std::string_view text) {
    size_t i = 0;
    const size_t n = text.size();
    if (i < n && text[i] == '-') i++;
    if (i >= n || !isDigit(text[i])) return false;
    if (text[i] == '0') i++;
    else while (i < n && isDigit(text[i])) i++;
    if (i < n && text[i] == '.') {
        i++;
        if (i >= n || !isDigit(text[i])) return false;
        while (i < n && isDigit(text[i])) i++;
    }
    if (i < n && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < n && (text[i] == '+' || text[i] == '-')) i++;
        if (i >= n || !isDigit(text[i])) return false;
        while (i < n && isDigit(text[i])) i++;
    }
    return i == n;
}

}  // namespace

struct sp_json_reader {
    ondemand::parser parser;
    Node root;
    size_t count = 0;
    std::vector<Node *> ignored;
    // Layouts of lines that were read, the latest that fitted at `layoutHint`.
    std::vector<sp::LineLayout> layouts;
    size_t layoutHint = 0;
    // Learning a layout takes one, lines that follow one give it back, slowly: a file whose lines differ is not slowed down.
    unsigned layoutCredit = layoutCreditLimit * layoutCreditStep;
    // Unescaped strings of the current call; sized once a call, so that slices stay put.
    std::unique_ptr<char[]> arena;
    size_t arenaCapacity = 0;
    size_t arenaUsed = 0;
    size_t inputLength = 0;
    const char *line = nullptr;
    const char *lineEnd = nullptr;
    sp_json_value *row = nullptr;

    void want(Node &from, std::string_view rest, int32_t slot, bool whole) {
        const size_t dot = whole ? std::string_view::npos : rest.find('.');
        const std::string_view head = rest.substr(0, dot);
        Node *node = nullptr;
        for (auto &child : from.children) {
            if (child->name == head) node = child.get();
        }
        if (node == nullptr) {
            from.children.push_back(std::make_unique<Node>());
            node = from.children.back().get();
            node->name = std::string(head);
            node->path = from.path.empty() ? node->name : from.path + "." + node->name;
        }
        if (dot == std::string_view::npos) {
            node->slot = slot;
        } else {
            want(*node, rest.substr(dot + 1), slot, false);
        }
    }

    uint32_t offsetOf(const char *at) const {
        if (at < line) return 0;
        return static_cast<uint32_t>(at > lineEnd ? lineEnd - line : at - line);
    }

    Fault fault(error_code code, const char *at) const { return Fault{statusOf(code), offsetOf(at)}; }

    // The child that a raw key (after its opening quote) names; learns an unknown key.
    Node *find(Node &node, ondemand::field &field, error_code &error) {
        const char *raw = field.key().raw();
        const size_t left = static_cast<size_t>(lineEnd - raw);
        const size_t n = node.children.size();
        size_t index = node.hint;
        for (size_t tried = 0; tried < n; tried++) {
            if (index >= n) index = 0;
            Node *child = node.children[index].get();
            const size_t length = child->name.size();
            if (length < left && raw[length] == '"' && std::memcmp(raw, child->name.data(), length) == 0) {
                node.hint = index + 1;
                return child;
            }
            index++;
        }
        std::string_view name;
        error = field.unescaped_key().get(name);
        if (error) return nullptr;
        for (auto &child : node.children) {
            if (child->name == name) return child.get();
        }
        if (ignored.size() >= ignoredLimit) return nullptr;
        auto fresh = std::make_unique<Node>();
        fresh->name = std::string(name);
        fresh->path = &node == &root ? fresh->name : node.path + "." + fresh->name;
        fresh->wanted = false;
        ignored.push_back(fresh.get());
        node.children.push_back(std::move(fresh));
        return node.children.back().get();
    }

    Fault readString(ondemand::value &value, const char *at, sp_json_value &out) {
        // at is the opening quote. simdjson's first stage has checked UTF-8, control characters and the closing quote.
        const char *cursor = at + 1;
        while (cursor < lineEnd && *cursor != '"' && *cursor != '\\') cursor++;
        if (cursor < lineEnd && *cursor == '"') {
            out.text = at + 1;
            out.length = static_cast<uint32_t>(cursor - at - 1);
            ondemand::raw_json_string skipped;
            if (auto error = value.get_raw_json_string().get(skipped)) return fault(error, at);
            return {};
        }
        std::string_view text;
        if (auto error = value.get_string().get(text)) return fault(error, at);
        if (arenaUsed + text.size() > arenaCapacity) {
            // Strings never grow when unescaped and their keys are not stored, but a repeated path keeps both.
            return Fault{SP_JSON_NO_MEMORY, offsetOf(at)};
        }
        std::memcpy(arena.get() + arenaUsed, text.data(), text.size());
        out.text = arena.get() + arenaUsed;
        out.length = static_cast<uint32_t>(text.size());
        arenaUsed += text.size();
        return {};
    }

    Fault readNumber(ondemand::value &value, const char *at, sp_json_value &out) {
        std::string_view token = value.raw_json_token();
        while (!token.empty() && (isBlank(token.back()) || token.back() == '\n')) token.remove_suffix(1);
        out.text = token.data();
        out.length = static_cast<uint32_t>(token.size());
        ondemand::number number;
        auto error = value.get_number().get(number);
        if (error) {
            if (!isNumber(token)) return fault(error, at);
            // The object's iterator steps over the number.
            out.kind = SP_JSON_BIG_NUMBER;
            return {};
        }
        if (number.is_int64()) {
            out.kind = SP_JSON_INTEGER;
            out.integer = number.get_int64();
        } else if (number.is_uint64()) {
            out.kind = SP_JSON_BIG_NUMBER;
        } else {
            out.kind = SP_JSON_DOUBLE;
            // simdjson 3.0 reads numbers of more than 19 digits as 0 here. What from_chars refuses underflows to 0.
            const auto result = std::from_chars(token.data(), token.data() + token.size(), out.number);
            if (result.ec != std::errc()) out.number = number.get_double();
        }
        return {};
    }

    Fault readValue(ondemand::value &value, Node &node, int depth) {
        const char *at = nullptr;
        if (auto error = value.current_location().get(at)) return fault(error, lineEnd);
        ondemand::json_type type;
        if (auto error = value.type().get(type)) return fault(error, at);
        if (node.slot < 0) {
            if (type == ondemand::json_type::object && !node.children.empty()) {
                ondemand::object object;
                if (auto error = value.get_object().get(object)) return fault(error, at);
                return readObject(object, node, depth + 1);
            }
            if (type == ondemand::json_type::null) markNull(node, at);
            else if (!node.children.empty()) return Fault{SP_JSON_RECORD_EXPECTED, offsetOf(at)};
            return {};
        }
        sp_json_value &out = row[node.slot];
        out = sp_json_value{};
        out.offset = offsetOf(at);
        switch (type) {
        case ondemand::json_type::string:
            out.kind = SP_JSON_STRING;
            return readString(value, at, out);
        case ondemand::json_type::number:
            return readNumber(value, at, out);
        case ondemand::json_type::boolean: {
            bool truth = false;
            if (auto error = value.get_bool().get(truth)) return fault(error, at);
            out.kind = truth ? SP_JSON_TRUE : SP_JSON_FALSE;
            return {};
        }
        case ondemand::json_type::null:
            if (!value.is_null()) return Fault{SP_JSON_MALFORMED, offsetOf(at)};
            out.kind = SP_JSON_NULL;
            return {};
        case ondemand::json_type::array:
        case ondemand::json_type::object: {
            std::string_view raw;
            if (type == ondemand::json_type::array) {
                ondemand::array array;
                if (auto error = value.get_array().get(array)) return fault(error, at);
                if (auto error = array.raw_json().get(raw)) return fault(error, at);
            } else {
                ondemand::object object;
                if (auto error = value.get_object().get(object)) return fault(error, at);
                if (auto error = object.raw_json().get(raw)) return fault(error, at);
            }
            while (!raw.empty() && (isBlank(raw.back()) || raw.back() == '\n')) raw.remove_suffix(1);
            out.kind = type == ondemand::json_type::array ? SP_JSON_ARRAY : SP_JSON_OBJECT;
            out.text = raw.data();
            out.length = static_cast<uint32_t>(raw.size());
            return {};
        }
        }
        return Fault{SP_JSON_MALFORMED, offsetOf(at)};
    }

    // A null record: every wanted leaf under it is null.
    void markNull(Node &node, const char *at) {
        for (auto &child : node.children) {
            if (!child->wanted) continue;
            if (child->slot >= 0) {
                row[child->slot] = sp_json_value{};
                row[child->slot].kind = SP_JSON_NULL;
                row[child->slot].offset = offsetOf(at);
            }
            markNull(*child, at);
        }
    }

    Fault readObject(ondemand::object &object, Node &node, int depth) {
        if (depth > depthLimit) return Fault{SP_JSON_TOO_DEEP, 0};
        node.hint = 0;
        for (auto item : object) {
            ondemand::field field;
            if (auto error = std::move(item).get(field)) return fault(error, lineEnd);
            error_code error = SUCCESS;
            // Taken first: a key can be read only once.
            const char *raw = field.key().raw();
            Node *child = find(node, field, error);
            if (error) return fault(error, raw);
            if (child == nullptr) continue;
            if (!child->wanted) {
                child->records++;
                continue;
            }
            ondemand::value value = field.value();
            Fault found = readValue(value, *child, depth);
            if (found.status != SP_JSON_OK) return found;
        }
        return {};
    }

    Fault readLine(size_t capacity) {
        for (size_t i = 0; i < count; i++) row[i].kind = SP_JSON_ABSENT;
        ondemand::document document;
        const size_t length = static_cast<size_t>(lineEnd - line);
        if (auto error = parser.iterate(line, length, capacity).get(document)) {
            return Fault{statusOf(error), 0};
        }
        ondemand::object object;
        if (auto error = document.get_object().get(object)) {
            return error == INCORRECT_TYPE ? Fault{SP_JSON_NOT_OBJECT, 0} : fault(error, lineEnd);
        }
        Fault found = readObject(object, root, 0);
        if (found.status != SP_JSON_OK) return found;
        // At the end of the document there is no location any more.
        const char *at = nullptr;
        if (document.current_location().get(at) == SUCCESS) return Fault{SP_JSON_TRAILING, offsetOf(at)};
        return {};
    }

    // Reads the line if it follows a known layout.
    bool readByLayout() {
        for (size_t tried = 0; tried < layouts.size(); tried++) {
            const size_t index = (layoutHint + tried) % layouts.size();
            for (size_t i = 0; i < count; i++) row[i].kind = SP_JSON_ABSENT;
            bool isPlain = true;
            if (!layouts[index].read(line, lineEnd, row, isPlain)) continue;
            // What is wrong with it the parser will say.
            if (!isPlain && !validate_utf8(line, static_cast<size_t>(lineEnd - line))) return false;
            layoutHint = index;
            for (uint64_t *counter : layouts[index].counters) (*counter)++;
            if (layoutCredit < layoutCreditLimit * layoutCreditStep) layoutCredit++;
            return true;
        }
        return false;
    }

    // Takes the layout of a line that the parser has read.
    void learnLayout() {
        if (layoutCredit < layoutCreditStep || lineEnd - line > layoutLineLimit) return;
        layoutCredit -= layoutCreditStep;
        sp::LineLayout layout;
        LayoutLearner learner{line, lineEnd, line, layout};
        if (!learner.learn(root)) return;
        if (layouts.size() < layoutLimit) {
            layouts.push_back(std::move(layout));
            layoutHint = layouts.size() - 1;
        } else {
            layoutHint = (layoutHint + layoutLimit - 1) % layoutLimit;
            layouts[layoutHint] = std::move(layout);
        }
    }

    // Walks over a line that is known to be well-formed.
    struct LayoutLearner {
        const char *cursor;
        const char *end;
        const char *literal;
        sp::LineLayout &layout;
        // Of an unwanted key whose first value is still to come.
        uint64_t *counter = nullptr;

        bool learn(Node &root) {
            skipBlanks();
            if (cursor >= end || *cursor != '{' || !object(&root, 1)) return false;
            // The parser does not look closely at what is not wanted, and may have taken a brace too many for a part of it.
            if (cursor != end) return false;
            layout.tail.assign(literal, end);
            return !layout.parts.empty();
        }

        void skipBlanks() { while (cursor < end && isBlank(*cursor)) cursor++; }

        // `node` is null inside of what is not wanted; `depth` is that of the object.
        bool object(Node *node, int depth) {
            if (depth > depthLimit) return false;
            cursor++;
            skipBlanks();
            if (cursor < end && *cursor == '}') {
                cursor++;
                return true;
            }
            while (cursor < end && *cursor == '"') {
                const char *key = ++cursor;
                while (cursor < end && *cursor != '"' && *cursor != '\\') cursor++;
                if (cursor >= end || *cursor == '\\') return false;
                const std::string_view name(key, static_cast<size_t>(cursor - key));
                cursor++;
                skipBlanks();
                if (cursor >= end || *cursor != ':') return false;
                cursor++;
                Node *child = nullptr;
                if (node != nullptr) {
                    for (auto &one : node->children) if (one->name == name) child = one.get();
                }
                if (child != nullptr && !child->wanted) {
                    counter = &child->records;
                    child = nullptr;
                }
                if (!value(child, depth) || counter != nullptr) return false;
                skipBlanks();
                if (cursor < end && *cursor == ',') {
                    cursor++;
                    skipBlanks();
                    continue;
                }
                if (cursor >= end || *cursor != '}') return false;
                cursor++;
                return true;
            }
            return false;
        }

        bool value(Node *node, int depth) {
            skipBlanks();
            if (cursor >= end || *cursor == '[') return false;
            if (*cursor == '{') return (node == nullptr || node->slot < 0) && object(node, depth + 1);
            // A scalar where a record is wanted means something of its own.
            if (node != nullptr && node->slot < 0) return false;
            sp::LayoutPart part;
            part.length = static_cast<size_t>(cursor - literal);
            if (part.length > literalLimit) return false;
            part.literal.assign(literal, cursor);
            part.literal.resize((part.length + 15) / 16 * 16);
            part.slot = node == nullptr ? -1 : node->slot;
            if (counter != nullptr) layout.counters.push_back(counter);
            counter = nullptr;
            if (*cursor == '"') {
                cursor++;
                while (cursor < end && *cursor != '"') cursor += *cursor == '\\' ? 2 : 1;
                cursor++;
            } else {
                while (cursor < end && *cursor != ',' && *cursor != '}' && !isBlank(*cursor)) cursor++;
            }
            if (cursor > end) return false;
            literal = cursor;
            layout.parts.push_back(std::move(part));
            return true;
        }
    };
};

extern "C" sp_json_reader *sp_json_reader_new(const char *const *paths, size_t count) {
    try {
        auto reader = std::make_unique<sp_json_reader>();
        reader->count = count;
        for (size_t i = 0; i < count; i++) {
            const std::string path(paths[i]);
            reader->want(reader->root, path, static_cast<int32_t>(i), false);
        }
        // A flat key that holds the dots is the same field.
        for (size_t i = 0; i < count; i++) {
            const std::string path(paths[i]);
            if (path.find('.') != std::string::npos) {
                reader->want(reader->root, path, static_cast<int32_t>(i), true);
            }
        }
        return reader.release();
    } catch (...) {
        return nullptr;
    }
}

extern "C" void sp_json_reader_free(sp_json_reader *reader) { delete reader; }

extern "C" size_t sp_json_read_lines(
    sp_json_reader *reader, const char *bytes, size_t length, size_t capacity, int is_final, size_t max_records,
    sp_json_value *values, sp_json_record *records, size_t *consumed, size_t *lines
) {
    size_t made = 0;
    size_t position = 0;
    size_t line = 0;
    // No exception may cross into Swift; only a failed allocation throws here, and it ends the call.
    try {
        reader->arenaUsed = 0;
        if (reader->arenaCapacity < length) {
            reader->arena.reset();
            reader->arenaCapacity = 0;
            reader->arena = std::unique_ptr<char[]>(new char[length]);
            reader->arenaCapacity = length;
        }
        while (made < max_records && position < length) {
            const char *start = bytes + position;
            const char *limit = static_cast<const char *>(std::memchr(start, '\n', length - position));
            if (limit == nullptr && !is_final) break;
            const char *end = limit == nullptr ? bytes + length : limit;
            const size_t next = static_cast<size_t>(end - bytes) + (limit == nullptr ? 0 : 1);
            const char *trimmed = end;
            while (trimmed > start && isBlank(trimmed[-1])) trimmed--;
            if (trimmed > start) {
                sp_json_record &record = records[made];
                record.start = position;
                record.length = static_cast<size_t>(trimmed - start);
                record.line = static_cast<uint32_t>(line);
                reader->line = start;
                reader->lineEnd = trimmed;
                reader->row = values + made * reader->count;
                Fault fault;
                if (!reader->readByLayout()) {
                    fault = reader->readLine(capacity - position);
                    if (fault.status == SP_JSON_OK) reader->learnLayout();
                }
                record.status = fault.status;
                record.error_offset = fault.offset;
                made++;
            }
            position = next;
            line++;
        }
    } catch (...) {
        if (made < max_records && position < length) {
            records[made] = sp_json_record{};
            records[made].start = position;
            records[made].line = static_cast<uint32_t>(line);
            records[made].status = SP_JSON_NO_MEMORY;
            const void *limit = std::memchr(bytes + position, '\n', length - position);
            const size_t next = limit == nullptr ? length : static_cast<size_t>(static_cast<const char *>(limit) - bytes);
            records[made].length = next - position;
            position = limit == nullptr ? length : next + 1;
            line++;
            made++;
        }
    }
    *consumed = position;
    *lines = line;
    return made;
}

extern "C" size_t sp_json_reader_ignored_count(const sp_json_reader *reader) { return reader->ignored.size(); }

extern "C" const char *sp_json_reader_ignored_name(const sp_json_reader *reader, size_t index) {
    return reader->ignored[index]->path.c_str();
}

extern "C" uint64_t sp_json_reader_ignored_records(const sp_json_reader *reader, size_t index) {
    return reader->ignored[index]->records;
}

extern "C" int sp_utf8_valid(const char *bytes, size_t length) {
    return simdjson::validate_utf8(bytes, length) ? 1 : 0;
}

extern "C" int sp_parse_double(const char *bytes, size_t length, double *value) {
    const char *first = bytes;
    const char *last = bytes + length;
    if (first < last && *first == '+') {
        first++;
        if (first < last && *first == '-') return 0;
    }
    const auto result = std::from_chars(first, last, *value);
    // from_chars also takes "inf" and "nan", which are no values of ours.
    return result.ec == std::errc() && result.ptr == last && first < last && std::isfinite(*value) ? 1 : 0;
}
