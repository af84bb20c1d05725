import DataPath
import Diagnostics

/// The names of the functions, for messages.
let functionNames =
    ["abs", "ceil", "ceiling", "coalesce", "date_part", "date_trunc", "floor", "length", "lower", "round", "upper"]
    + TimePart.allCases.map(\.rawValue)

extension ExpressionTyper {
    mutating func function(_ name: String, _ syntax: [ExpressionSyntax], _ place: ExpressionPlace) -> TypedNode? {
        guard functionNames.contains(name) else {
            diagnostics.error(
                .unknownFunction, "unknown function '\(name)'", at: place,
                hint: nearestName(to: name, among: functionNames).map { "did you mean '\($0)'?" }
                    ?? "functions: \(functionNames.sorted().joined(separator: ", "))")
            return nil
        }
        var arguments: [TypedNode] = []
        for item in syntax { if let node = type(item) { arguments.append(node) } }
        guard arguments.count == syntax.count else { return nil }
        let counts =
            switch name {
            case "coalesce": 1...Int.max
            case "round": 1...2
            case "date_part", "date_trunc": 2...2
            default: 1...1
            }
        guard counts.contains(arguments.count) else {
            let expected =
                counts.upperBound == .max ? "at least 1" : counts.count == 1 ? "\(counts.lowerBound)" : "1 or 2"
            diagnostics.error(
                .expressionType,
                "'\(name)' takes \(expected) argument\(expected == "1" ? "" : "s"), not \(arguments.count)",
                at: place)
            return nil
        }
        let first = arguments[0]
        switch name {
        case "coalesce": return coalesce(arguments, place)
        case "lower", "upper", "length": return text(name, first, place)
        case "abs":
            guard let type = numeric(first, "'abs'") else { return nil }
            guard first.type != nil else { return .null(nil, at: place) }
            return apply(.absolute(type.physical), [first], type, place)
        case "round": return round(first, arguments.count == 2 ? arguments[1] : nil, place)
        case "floor", "ceil", "ceiling": return roundTo(name == "floor" ? .down : .up, name, first, place)
        case "date_trunc", "date_part": return calendar(name, first, arguments[1], place)
        default: return part(name, first, place)
        }
    }

    private mutating func coalesce(_ arguments: [TypedNode], _ place: ExpressionPlace) -> TypedNode? {
        guard let unified = unify(arguments, "the arguments of 'coalesce'"), var result = unified.last else {
            return nil
        }
        guard let type = result.type else { return .null(nil, at: place) }
        for node in unified.dropLast().reversed() {
            guard
                let next = apply(
                    .coalesce(type.physical), [node, result], type, place,
                    isNullable: node.isNullable && result.isNullable)
            else { return nil }
            result = next
        }
        return result
    }

    private mutating func text(_ name: String, _ node: TypedNode, _ place: ExpressionPlace) -> TypedNode? {
        guard node.type == nil || node.type == .string || node.type == .uuid else {
            diagnostics.error(
                .expressionType, "'\(name)' takes a string, this is \(Self.name(node.type))", at: node.place)
            return nil
        }
        if node.type == nil { return .null(name == "length" ? .long : .string, at: place) }
        switch name {
        case "lower": return apply(.lower, [node], .string, place)
        case "upper": return apply(.upper, [node], .string, place)
        default: return apply(.length, [node], .long, place)
        }
    }

    private mutating func round(_ node: TypedNode, _ digits: TypedNode?, _ place: ExpressionPlace) -> TypedNode? {
        guard let type = numeric(node, "'round'") else { return nil }
        guard node.type != nil else { return .null(nil, at: place) }
        var count = 0
        if let digits {
            guard case .int64(let value)? = digits.constant, digits.type == .int || digits.type == .long,
                (-38...38).contains(value)
            else {
                diagnostics.error(
                    .expressionType, "'round' takes a whole number from -38 to 38 as its second argument",
                    at: digits.place)
                return nil
            }
            count = Int(value)
        }
        switch type {
        case .decimal: return roundDecimal(node, type, .halfAwayFromZero, digits: count, place)
        case .int, .long:
            guard count < 0 else { return node }
            let unit = count >= -18 ? (0..<(-count)).reduce(Int64(1)) { power, _ in power * 10 } : nil
            guard let unit else {
                diagnostics.error(.expressionType, "a 64-bit integer has at most 19 digits to round", at: place)
                return nil
            }
            return apply(.roundInteger(unit: unit), [node], .long, place)
        default:
            guard let result = apply(.roundDouble(digits: count), [node], type, place) else { return nil }
            return type == .float ? apply(.roundToFloat, [result], .float, place) : result
        }
    }

    private mutating func roundTo(
        _ rounding: DecimalRounding, _ name: String, _ node: TypedNode, _ place: ExpressionPlace
    ) -> TypedNode? {
        guard let type = numeric(node, "'\(name)'") else { return nil }
        guard node.type != nil else { return .null(.double, at: place) }
        if case .decimal = type { return roundDecimal(node, type, rounding, digits: 0, place) }
        guard let double = convert(node, to: type == .float ? .float : .double) else { return nil }
        return apply(rounding == .down ? .floor : .ceiling, [double], type == .float ? .float : .double, place)
    }

    private mutating func roundDecimal(
        _ node: TypedNode, _ type: LogicalType, _ rounding: DecimalRounding, digits: Int, _ place: ExpressionPlace
    ) -> TypedNode? {
        guard let shape = Self.decimalShape(type), digits < shape.scale else { return node }
        let result = LogicalType.decimal(precision: shape.precision, scale: max(digits, 0))
        guard
            let cut = apply(
                .rescaleDecimal(power: digits - shape.scale, rounding: rounding, precision: 38), [node], result, place)
        else { return nil }
        guard digits < 0 else { return cut }
        return apply(.rescaleDecimal(power: -digits, rounding: rounding, precision: 38), [cut], result, place)
    }

    // MARK: Time

    private mutating func timestamp(_ node: TypedNode, _ user: String) -> TypedNode? {
        if node.type == nil || node.type == .date || node.type == .timestamp { return convert(node, to: .timestamp) }
        diagnostics.error(
            .expressionType, "'\(user)' takes a timestamp or date, this is \(Self.name(node.type))", at: node.place)
        return nil
    }

    private mutating func part(_ name: String, _ node: TypedNode, _ place: ExpressionPlace) -> TypedNode? {
        guard let part = TimePart(rawValue: name), let operand = timestamp(node, name) else { return nil }
        return apply(.timestampPart(part), [operand], .long, place)
    }

    private mutating func calendar(
        _ name: String, _ unit: TypedNode, _ node: TypedNode, _ place: ExpressionPlace
    ) -> TypedNode? {
        let word = unit.literalText?.lowercased()
        let known = name == "date_part" ? TimePart.allCases.map(\.rawValue) : TimeUnit.allCases.map(\.rawValue)
        guard let word, known.contains(word) else {
            diagnostics.error(
                .expressionType, "'\(name)' takes a unit in quotes as its first argument", at: unit.place,
                hint: "units: \(known.joined(separator: ", "))")
            return nil
        }
        if name == "date_part" { return part(word, node, place) }
        guard let unit = TimeUnit(rawValue: word), let operand = timestamp(node, name) else { return nil }
        return apply(.truncateTimestamp(unit), [operand], .timestamp, place)
    }

    // MARK: Casts

    mutating func cast(_ node: TypedNode, to target: LogicalType, _ place: ExpressionPlace) -> TypedNode? {
        guard let from = node.type else { return .null(target, at: place) }
        if from == target { return node }
        let int32 = VectorOperation.checkRange(Int64(Int32.min), Int64(Int32.max))
        switch (from, target) {
        case (.long, .int): return apply(int32, [node], .int, place)
        case (.decimal, .int), (.decimal, .long):
            guard let whole = roundDecimal(node, from, .halfAwayFromZero, digits: 0, place),
                let result = apply(.decimalToInteger, [whole], .long, place)
            else { return nil }
            return target == .int ? apply(int32, [result], .int, place) : result
        case (.double, .int), (.float, .int), (.double, .long), (.float, .long):
            guard let result = apply(.doubleToInteger, [node], .long, place) else { return nil }
            return target == .int ? apply(int32, [result], .int, place) : result
        case (.double, .decimal(let precision, let scale)), (.float, .decimal(let precision, let scale)):
            return apply(.doubleToDecimal(scale: scale, precision: precision), [node], target, place)
        case (.int, .decimal(let precision, let scale)), (.long, .decimal(let precision, let scale)):
            guard
                let wide = apply(.integerToDecimal(power: scale), [node], .decimal(precision: 38, scale: scale), place)
            else { return nil }
            return apply(.rescaleDecimal(power: 0, rounding: .down, precision: precision), [wide], target, place)
        case (.decimal(_, let old), .decimal(let precision, let scale)):
            return apply(
                .rescaleDecimal(power: scale - old, rounding: .halfAwayFromZero, precision: precision), [node], target,
                place)
        case (.timestamp, .date): return apply(.timestampToDate, [node], .date, place)
        case (.date, .timestamp), (.uuid, .string): return convert(node, to: target)
        case (.string, .date) where node.literalText != nil, (.string, .timestamp) where node.literalText != nil:
            return convert(node, to: target)
        case (_, .double) where from.isNumeric, (_, .float) where from.isNumeric: return convert(node, to: target)
        case (.int, .long): return convert(node, to: target)
        default:
            diagnostics.error(
                .notSupportedYet, "cast from \(Self.name(from)) to \(Self.name(target)) is not supported yet", at: place
            )
            return nil
        }
    }
}
