/// Whether schemas may be registered and deleted. Raw values: the words of the Schema Registry.
public enum RegistryMode: String, Hashable, Sendable, CaseIterable {
    case readWrite = "READWRITE"
    case readOnly = "READONLY"
}
