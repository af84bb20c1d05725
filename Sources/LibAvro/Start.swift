public enum LibAvro { public static func check(schemaJSON: String) throws {} }
