internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

extension Project {
    /// Opens a plugin; an error says where the options stand that it is about, by default the plugin's first one, which
    /// says where the part is.
    func opening<Opened>(
        _ selection: PluginSelection, _ spec: PluginSpec, at path: String, _ open: () throws -> Opened
    ) throws -> Opened {
        do {
            return try open()
        } catch var error as PipelineError {
            let keys = error.options.isEmpty ? spec.options.prefix(1).map(\.key) : error.options
            for key in keys {
                let name = "\(path).\(selection.type).\(key)"
                if let location = selection.options.location(key) {
                    error.notes.append(.init("\(name) is set here", at: location))
                } else if let text = spec.options.first(where: { $0.key == key })?.defaultValue {
                    error.notes.append(.init("\(name) is not set: it is \(text) by default"))
                }
            }
            throw error
        }
    }
}
