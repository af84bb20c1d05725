internal import ConfigTree
public import Diagnostics
internal import Foundation
internal import PlatformModel
internal import ProjectConfig

/// Finds topics that two domains of one project claim: what one writes the other could not read.
public struct TopicOwnership {
    private let project: Project

    public init(_ project: Project) { self.project = project }

    /// One error for each event type of the project's domain whose topic another domain file claims too. Domain files that
    /// are invalid themselves are left to their own `validate`.
    public func conflicts() -> Diagnostics {
        var diagnostics = Diagnostics()
        guard let domain = project.domain else { return diagnostics }
        let root = project.configuration.root
        for folder in ["domains", "config/domains"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")) ?? []
            for name in names.sorted() where name.hasSuffix(".yaml") {
                guard let other = load("\(root)/\(folder)/\(name)"), other.name != domain.name else { continue }
                let owned = Dictionary(
                    other.eventTypes.map { ($0.topic.name, $0) }, uniquingKeysWith: { first, _ in first })
                for eventType in domain.eventTypes {
                    guard let rival = owned[eventType.topic.name] else { continue }
                    diagnostics.error(
                        .topicTwice, "topic '\(eventType.topic.name)' is also that of domain '\(other.name)'",
                        at: eventType.topic.location ?? eventType.location,
                        notes: [.init("there it is event type '\(rival.name)'", at: rival.location)],
                        hint:
                            "give one of them a topic of its own: topic: \(project.platform.topicPrefix).\(domain.name).\(eventType.name)"
                    )
                }
            }
        }
        return diagnostics
    }

    private func load(_ path: String) -> DomainDefinition? {
        var sources = SourceTexts()
        let request = ConfigurationLoader.Request(domain: path, environment: project.configuration.environment)
        return (try? Project.load(request, plugins: project.plugins, sources: &sources))?.domain
    }
}
