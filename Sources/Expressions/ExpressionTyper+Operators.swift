import DataPath
import Diagnostics

extension ExpressionTyper {
    // MARK: Common types

    /// Precision and scale of an integer or decimal; an integer's are those of its widest value.
    static func decimalShape(_ type: LogicalType?) -> (precision: Int, scale: Int)? {
        switch type {
        case .int: (10, 0)
        case .long: (19, 0)
        case .decimal(let precision, let scale): (precision, scale)
        default: nil
        }
    }

    /// The type to which two types are brought before they are compared or chosen between; nil when there is none.
    static func common(_ a: LogicalType, _ b: LogicalType) -> LogicalType? {
        if a == b { return a }
        if a.isNumeric, b.isNumeric {
            if a == .double || b == .double { return .double }
            if a == .float || b == .float { return .float }
            if let x = decimalShape(a), let y = decimalShape(b) {
                if x.scale == 0, y.scale == 0, a.physical == .int64, b.physical == .int64 { return .long }
                let scale = max(x.scale, y.scale)
                let whole = max(x.precision - x.scale, y.precision - y.scale)
                return .decimal(precision: min(38, whole + scale), scale: scale)
            }
        }
        switch (a, b) {
        case (.date, .timestamp), (.timestamp, .date): return .timestamp
        case (.string, .uuid), (.uuid, .string): return .string
        default: return nil
        }
    }

    /// The nodes brought to one type, or nil after reporting that there is none.
    mutating func unify(_ nodes: [TypedNode], _ what: String) -> [TypedNode]? {
        let others = nodes.filter { $0.type != nil && $0.literalText == nil }
        guard var type = (others.first ?? nodes.first { $0.type != nil })?.type else { return nodes }
        for node in nodes {
            guard let other = node.type, node.literalText == nil || !Self.readsFromText(type) else { continue }
            guard let next = Self.common(type, other) else {
                diagnostics.error(
                    .expressionType, "\(what) are \(Self.name(type)) and \(Self.name(other)); they need one type",
                    at: node.place, hint: "cast(… as \(Self.name(type))) makes them alike")
                return nil
            }
            type = next
        }
        var result: [TypedNode] = []
        for node in nodes {
            guard let converted = convert(node, to: type) else { return nil }
            result.append(converted)
        }
        return result
    }

    private static func readsFromText(_ type: LogicalType) -> Bool {
        type == .date || type == .timestamp || type == .uuid
    }

    /// Whether a string literal meets a type that can be read from it.
    private static func isText(_ literal: TypedNode, for other: TypedNode) -> Bool {
        literal.literalText != nil && other.type.map { readsFromText($0) } == true
    }

    /// `node` as `type`, which ``common(_:_:)`` has found or which a literal's text can be read as.
    mutating func convert(_ node: TypedNode, to type: LogicalType) -> TypedNode? {
        let place = node.place
        guard let from = node.type else { return .null(type, at: place) }
        if from == type || from.physical == type.physical && from.physical == .bytes && !Self.readsFromText(type) {
            var same = node
            same.type = type
            return same
        }
        if let text = node.literalText, Self.readsFromText(type) { return read(text, as: type, place) }
        switch (from, type) {
        case (.int, .long), (.long, .int), (.float, .double):
            var same = node
            same.type = type
            return same
        case (.int, .double), (.long, .double): return apply(.integerToDouble, [node], type, place)
        case (.decimal(_, let scale), .double): return apply(.decimalToDouble(scale: scale), [node], type, place)
        case (_, .float):
            guard let double = convert(node, to: .double) else { return nil }
            return apply(.roundToFloat, [double], .float, place)
        case (.int, .decimal(_, let scale)), (.long, .decimal(_, let scale)):
            return apply(.integerToDecimal(power: scale), [node], type, place)
        case (.decimal(_, let old), .decimal(let precision, let scale)):
            if old == scale {
                var same = node
                same.type = type
                return same
            }
            return apply(
                .rescaleDecimal(power: scale - old, rounding: .halfAwayFromZero, precision: precision), [node], type,
                place)
        case (.date, .timestamp): return apply(.dateToTimestamp, [node], type, place)
        default:
            diagnostics.error(
                .expressionType, "expected \(Self.name(type)), this is \(Self.name(from))", at: place)
            return nil
        }
    }

    private mutating func read(_ text: String, as type: LogicalType, _ place: ExpressionPlace) -> TypedNode? {
        let value: VectorConstant?
        switch type {
        case .date: value = LiteralText.date(text).map(VectorConstant.int64)
        case .timestamp: value = LiteralText.timestamp(text).map(VectorConstant.int64)
        default:
            let canonical = text.lowercased()
            let groups = canonical.split(separator: "-", omittingEmptySubsequences: false)
            let isUUID =
                groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
                && canonical.allSatisfy { $0 == "-" || $0.isASCII && $0.isHexDigit }
            value = isUUID ? .bytes(Array(canonical.utf8)) : nil
        }
        guard let value else {
            diagnostics.error(.expressionType, "'\(text)' is not a \(Self.name(type))", at: place)
            return nil
        }
        return TypedNode(content: .constant(value), type: type, isNullable: false, place: place)
    }

    // MARK: Comparison

    mutating func compare(
        _ comparison: ComparisonOperator, _ left: TypedNode, _ right: TypedNode, _ place: ExpressionPlace
    ) -> TypedNode? {
        for node in [left, right] where node.type == .json {
            diagnostics.error(
                .expressionType, "an array or map as a whole cannot be compared", at: node.place,
                hint: "only 'is null' and 'is not null' apply to it")
            return nil
        }
        if let a = left.type, let b = right.type, Self.common(a, b) == nil, !Self.isText(left, for: right),
            !Self.isText(right, for: left)
        {
            diagnostics.error(
                .expressionType, "cannot compare \(Self.name(a)) with \(Self.name(b))", at: place,
                hint: a == .string && b.isNumeric || b == .string && a.isNumeric
                    ? "write the number without quotes" : nil)
            return nil
        }
        if left.isNull || right.isNull { return .null(.boolean, at: place) }
        if let direct = compareUnscaled(comparison, left, right, place)
            ?? compareUnscaled(comparison.flipped, right, left, place)
        {
            return direct
        }
        guard let pair = unify([left, right], "the sides of '\(comparison.rawValue)'") else { return nil }
        if pair.allSatisfy({ $0.constant == nil }) || pair.allSatisfy({ $0.constant != nil }) {
            return apply(.compare(comparison, pair[0].type?.physical ?? .boolean), pair, .boolean, place)
        }
        let (subject, value, operation) =
            pair[1].constant != nil ? (pair[0], pair[1], comparison) : (pair[1], pair[0], comparison.flipped)
        switch value.constant {
        case .int64, .double, .bytes:
            guard let constant = value.constant else { return nil }
            return apply(.compareConstant(operation, constant), [subject], .boolean, place)
        default:
            return apply(.compare(comparison, pair[0].type?.physical ?? .boolean), pair, .boolean, place)
        }
    }

    /// A comparison of whole numbers of units, where a column of 64-bit units (money, or an integer) meets a decimal
    /// constant that is a whole number of such units: no widening a row.
    private mutating func compareUnscaled(
        _ comparison: ComparisonOperator, _ subject: TypedNode, _ value: TypedNode, _ place: ExpressionPlace
    ) -> TypedNode? {
        guard subject.constant == nil, let shape = Self.decimalShape(subject.type),
            let given = Self.decimalShape(value.type)
        else { return nil }
        let column: TypedNode
        switch subject.content {
        case .apply(.integerToDecimal(power: 0), let inputs): column = inputs[0]
        case .column(_, .int64): column = subject
        default: return nil
        }
        let unscaled: Int128
        switch value.constant {
        case .int64(let number): unscaled = Int128(number)
        case .int128(let number): unscaled = number
        default: return nil
        }
        var units = unscaled
        for _ in 0..<max(0, shape.scale - given.scale) {
            let (product, overflow) = units.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            units = product
        }
        for _ in 0..<max(0, given.scale - shape.scale) {
            guard units % 10 == 0 else { return nil }
            units /= 10
        }
        guard let whole = Int64(exactly: units) else { return nil }
        return apply(.compareConstant(comparison, .int64(whole)), [column], .boolean, place)
    }

    mutating func membership(
        _ a: ExpressionSyntax, _ items: [ExpressionSyntax], _ negated: Bool, _ place: ExpressionPlace
    ) -> TypedNode? {
        guard let subject = type(a) else { return nil }
        var terms: [TypedNode] = []
        var integers: [(value: Int64, input: TypedNode)] = []
        var strings: [(value: [UInt8], input: TypedNode)] = []
        for item in items {
            guard let node = type(item) else { return nil }
            guard node.constant != nil else {
                diagnostics.error(
                    .notSupportedYet, "a list of 'in' holds literals only", at: node.place,
                    hint: "combine comparisons with 'or'")
                return nil
            }
            guard let term = compare(.equal, subject, node, node.place) else { return nil }
            switch term.content {
            case .apply(.compareConstant(.equal, .int64(let value)), let inputs): integers.append((value, inputs[0]))
            case .apply(.compareConstant(.equal, .bytes(let value)), let inputs): strings.append((value, inputs[0]))
            default: terms.append(term)
            }
        }
        // Equal comparisons of one input become one look-up. All of one kind have the same input: the subject.
        if let first = integers.first,
            let term = apply(
                .inIntegers(Array(Set(integers.map(\.value))).sorted()), [first.input], .boolean, place)
        {
            terms.append(term)
        }
        if let first = strings.first {
            let values = Array(Set(strings.map(\.value))).sorted { $0.lexicographicallyPrecedes($1) }
            if let term = apply(.inBytes(values), [first.input], .boolean, place) { terms.append(term) }
        }
        guard var result = terms.first else { return nil }
        for term in terms.dropFirst() {
            guard let next = join(.or, result, term, place) else { return nil }
            result = next
        }
        return negated ? apply(.not, [result], .boolean, place) : result
    }

    mutating func like(
        _ a: ExpressionSyntax, _ pattern: ExpressionSyntax, _ escape: String?, _ negated: Bool, _ ignoresCase: Bool,
        _ place: ExpressionPlace
    ) -> TypedNode? {
        let (subject, right) = (type(a), type(pattern))
        guard let subject, let right else { return nil }
        for node in [subject, right] where node.type != nil && node.type != .string && node.type != .uuid {
            diagnostics.error(
                .expressionType, "'like' takes strings, this is \(Self.name(node.type))", at: node.place)
            return nil
        }
        if right.isNull || subject.isNull { return .null(.boolean, at: place) }
        guard let text = right.literalText else {
            diagnostics.error(.notSupportedYet, "the pattern of 'like' must be a string in quotes", at: right.place)
            return nil
        }
        guard let compiled = LikePattern(text, escape: escape?.unicodeScalars.first, ignoresCase: ignoresCase) else {
            diagnostics.error(.expressionType, "the pattern ends with its escape character", at: right.place)
            return nil
        }
        guard let match = apply(.like(compiled), [subject], .boolean, place) else { return nil }
        return negated ? apply(.not, [match], .boolean, place) : match
    }

    // MARK: Arithmetic

    mutating func negate(_ operand: TypedNode, _ place: ExpressionPlace) -> TypedNode? {
        guard let type = numeric(operand, "'-'") else { return nil }
        guard operand.type != nil else { return .null(nil, at: place) }
        return apply(.negate(type.physical), [operand], type == .int ? .long : type, place)
    }

    /// The type of a number (int for a bare null), or nil after reporting that it is none.
    mutating func numeric(_ node: TypedNode, _ user: String) -> LogicalType? {
        guard let type = node.type else { return .int }
        guard type.isNumeric else {
            diagnostics.error(.expressionType, "\(user) takes numbers, this is \(Self.name(type))", at: node.place)
            return nil
        }
        return type
    }

    mutating func arithmetic(
        _ operation: ArithmeticOperator, _ left: TypedNode, _ right: TypedNode, _ place: ExpressionPlace
    ) -> TypedNode? {
        let user = "'\(operation.rawValue)'"
        let (a, b) = (numeric(left, user), numeric(right, user))
        guard let a, let b else { return nil }
        let divides = operation == .divide || operation == .remainder
        let nullable: Bool? = divides ? true : nil
        if a == .double || b == .double || a == .float || b == .float || operation == .divide {
            let isFloat = a != .double && b != .double && (a == .float || b == .float)
            let (x, y) = (convert(left, to: isFloat ? .float : .double), convert(right, to: isFloat ? .float : .double))
            guard let x, let y else { return nil }
            let type: LogicalType = isFloat ? .float : .double
            guard let result = apply(.arithmetic(operation, .double), [x, y], type, place, isNullable: nullable) else {
                return nil
            }
            return isFloat ? apply(.roundToFloat, [result], .float, place, isNullable: nullable) : result
        }
        if a.physical == .int64, b.physical == .int64 {
            let (x, y) = (convert(left, to: .long), convert(right, to: .long))
            guard let x, let y else { return nil }
            return apply(.arithmetic(operation, .int64), [x, y], .long, place, isNullable: nullable)
        }
        guard let p = Self.decimalShape(a), let q = Self.decimalShape(b) else { return nil }
        if operation == .multiply {
            let scale = p.scale + q.scale
            guard scale <= 38 else {
                diagnostics.error(
                    .expressionType, "the product would have \(scale) digits after the point; 38 are possible",
                    at: place, hint: "round one side, or cast it to double")
                return nil
            }
            let type = LogicalType.decimal(precision: min(38, p.precision + q.precision), scale: scale)
            let (x, y) = (
                convert(left, to: .decimal(precision: p.precision, scale: p.scale)),
                convert(right, to: .decimal(precision: q.precision, scale: q.scale))
            )
            guard let x, let y else { return nil }
            return apply(.arithmetic(operation, .int128), [x, y], type, place)
        }
        let scale = max(p.scale, q.scale)
        let whole = max(p.precision - p.scale, q.precision - q.scale)
        let type = LogicalType.decimal(
            precision: min(38, whole + scale + (operation == .remainder ? 0 : 1)), scale: scale)
        let (x, y) = (convert(left, to: type), convert(right, to: type))
        guard let x, let y else { return nil }
        return apply(.arithmetic(operation, .int128), [x, y], type, place, isNullable: nullable)
    }
}
