internal import ConfigTree
public import Diagnostics
internal import PlatformModel
internal import ProjectConfig

/// Finds topics that two domains of one project claim: what one writes the other could not read.
///
/// Of the other domain files only names and topics are looked at, so that this costs a parse of each and no more.
public struct TopicOwnership {
    private struct Claim {
        var domain: String
        var eventType: String
        var location: SourceLocation
    }

    private let project: Project

    public init(_ project: Project) { self.project = project }

    /// One error for each event type of the project's domain whose topic another domain file claims too. What is wrong in
    /// other domain files is left to their own `validate`.
    public func conflicts() -> Diagnostics {
        var diagnostics = Diagnostics()
        guard let domain = project.domain else { return diagnostics }
        let claims = claims(besides: domain.name)
        for eventType in domain.eventTypes {
            for claim in claims[eventType.topic.name] ?? [] {
                diagnostics.error(
                    .topicTwice, "topic '\(eventType.topic.name)' is also that of domain '\(claim.domain)'",
                    at: eventType.topic.location ?? eventType.location,
                    notes: [.init("there it is event type '\(claim.eventType)'", at: claim.location)],
                    hint:
                        "give one of them a topic of its own: topic: \(project.platform.topicPrefix).\(domain.name).\(eventType.name)"
                )
            }
        }
        return diagnostics
    }

    /// The topics of the other domains; at most one claim of each domain on each topic.
    private func claims(besides name: String) -> [String: [Claim]] {
        let others = project.configuration.otherDomains(
            keys: ["kafka", "event_types"], shared: ["kafka"], lookup: ConfigurationLoader.processEnvironment)
        var claims: [String: [Claim]] = [:]
        for other in others where other.name != name {
            var own: [String: Claim] = [:]
            let prefix = other.tree.node(at: ["kafka", "topics", "prefix"])?.text ?? TopicDefinition.defaultPrefix
            for item in other.tree.child("event_types")?.sequence ?? [] {
                guard let eventType = item.child("name"), let text = eventType.text else { continue }
                let written = item.child("topic")
                let topic =
                    written?.text ?? written?.child("name")?.text
                    ?? TopicDefinition.defaultName(prefix: prefix, eventType: text)
                if own[topic] == nil {
                    own[topic] = Claim(domain: other.name, eventType: text, location: eventType.location)
                }
            }
            for (topic, claim) in own { claims[topic, default: []].append(claim) }
        }
        return claims
    }
}

extension ConfigNode {
    fileprivate var text: String? { isNull ? nil : scalar?.text }
}
