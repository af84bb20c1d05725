internal import ConsoleSink
internal import EmbeddedBroker
internal import EnvironmentSecrets
internal import FileSecrets
internal import FileSink
public import PluginAPI
internal import SQLiteSink

extension PluginRegistry {
    /// The plugins that come with streamplat. They enter by the door that third parties use.
    public static var builtin: PluginRegistry {
        var plugins = PluginRegistry()
        plugins.add(EnvironmentSecrets())
        plugins.add(FileSecrets())
        plugins.add(EmbeddedBroker())
        plugins.add(EmbeddedRegistry())
        plugins.add(SQLiteSinkPlugin())
        plugins.add(ConsoleSinkPlugin())
        plugins.add(FileSinkPlugin())
        return plugins
    }
}
