/// The syntax of variables inside string values: `$<secret:KEY>`, `${secret:KEY}`, `$<env:NAME>`, `${env:NAME}`,
/// `$<env:NAME:-default>`; `$$<` and `$${` are literals.
public enum VariableText {
    public static func containsVariable(_ text: String) -> Bool {
        var previous: Character = " "
        var escaped = false
        for character in text {
            if previous == "$", !escaped, character == "<" || character == "{" { return true }
            escaped = character == "$" && previous == "$" && !escaped
            previous = character
        }
        return false
    }
}
