/// Seeded random expressions over ``SampleTable`` whose meaning DuckDB shares.
///
/// Literals have at most two digits after the point: where money meets more of them, DuckDB rounds to fit 38 digits and
/// we keep every digit.
struct RandomExpression {
    var random: SplitMix

    mutating func any() -> String {
        switch random.below(4) {
        case 0: number(3)
        case 1: string(2)
        default: boolean(3)
        }
    }

    mutating func boolean(_ depth: Int) -> String {
        guard depth > 0 else { return pick(["b", "true", "false", "null", "i > 0", "s = 'a'", "amount > 10"]) }
        let comparison = pick(["=", "<>", "<", "<=", ">", ">=", "!="])
        switch random.below(11) {
        case 0: return "\(boolean(depth - 1)) and \(boolean(depth - 1))"
        case 1: return "(\(boolean(depth - 1)) or \(boolean(depth - 1)))"
        case 2: return "not (\(boolean(depth - 1)))"
        case 3: return "\(number(depth - 1)) \(comparison) \(number(depth - 1))"
        case 4: return "\(string(depth - 1)) \(comparison) \(string(depth - 1))"
        case 5: return "(\(number(depth - 1))) is \(pick(["", "not "]))null"
        case 6:
            return
                "\(pick(["i", "l", "m", "amount"])) \(pick(["", "not "]))in (1, 2.5, -3, \(pick(["7", "null", "100.00"])))"
        case 7: return "s \(pick(["", "not "]))in ('a', 'US', \(pick(["'x_y'", "null"])))"
        case 8: return "(\(number(depth - 1))) \(pick(["", "not "]))between \(number(0)) and \(number(0))"
        case 9:
            return
                "\(pick(["s", "u"])) \(pick(["", "not "]))\(pick(["like", "ilike"])) \(pick(["'a%'", "'%b%'", "'_'", "'%'", "'x$_y' escape '$'", "'_%'", "''", "'é%'"]))"
        default:
            return
                "ts \(comparison) \(pick(["timestamp '1970-02-01 00:00:00'", "date_trunc('month', ts)", "date '1971-03-04'", "'1969-12-31 12:00'"]))"
        }
    }

    mutating func number(_ depth: Int) -> String {
        guard depth > 0 else {
            return pick([
                "i", "l", "d", "m", "amount", "amount_cents", "0", "1", "-2", "2.5", "0.25", "1e1", "100.00", "id",
            ])
        }
        switch random.below(12) {
        case 0, 1, 2, 3: return "(\(number(depth - 1)) \(pick(["+", "-", "*", "/", "%"])) \(number(0)))"
        case 4: return "abs(\(number(depth - 1)))"
        case 5: return "- \(number(0))"
        case 6: return "round(\(pick(["d", "m", "l", "amount"])), \(pick(["0", "1", "-1"])))"
        case 7: return "\(pick(["floor", "ceil"]))(\(number(0)))"
        case 8: return "coalesce(\(number(0)), \(number(0)))"
        case 9: return "case when \(boolean(1)) then \(number(0)) else \(number(0)) end"
        case 10: return "length(\(string(0)))"
        default:
            return
                "\(pick(["hour", "day", "month", "year", "dayofweek", "minute", "week", "quarter", "dayofyear"]))(ts)"
        }
    }

    mutating func string(_ depth: Int) -> String {
        guard depth > 0 else { return pick(["s", "u", "'a'", "'US'", "''", "'it''s'"]) }
        return switch random.below(4) {
        case 0: "lower(\(string(0)))"
        case 1: "upper(\(string(0)))"
        case 2: "coalesce(s, \(string(0)))"
        default: "case when \(boolean(1)) then \(string(0)) when b then u end"
        }
    }

    private mutating func pick(_ choices: [String]) -> String { choices[random.below(choices.count)] }
}
