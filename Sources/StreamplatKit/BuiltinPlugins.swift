internal import ClickHouseSink
internal import ConfluentRegistry
internal import ConsoleSink
internal import DeriveOperator
internal import EmbeddedBroker
internal import EnvironmentSecrets
internal import FileSecrets
internal import FileSink
internal import FilterOperator
internal import KafkaBroker
public import PluginAPI
internal import PostgreSQLSink
internal import ProjectOperator
internal import SQLiteSink
internal import VaultSecrets

extension PluginRegistry {
    /// The plugins that come with streamplat. They enter by the door that third parties use.
    public static var builtin: PluginRegistry {
        var plugins = PluginRegistry()
        plugins.add(EnvironmentSecrets())
        plugins.add(FileSecrets())
        plugins.add(VaultSecrets())
        plugins.add(EmbeddedBroker())
        plugins.add(KafkaBroker())
        plugins.add(EmbeddedRegistry())
        plugins.add(ConfluentRegistry())
        plugins.add(SQLiteSinkPlugin())
        plugins.add(PostgreSQLSinkPlugin())
        plugins.add(ClickHouseSinkPlugin())
        plugins.add(ConsoleSinkPlugin())
        plugins.add(FileSinkPlugin())
        plugins.add(KafkaSinkPlugin())
        plugins.add(FilterOperator())
        plugins.add(DeriveOperator())
        plugins.add(ProjectOperator())
        return plugins
    }
}
