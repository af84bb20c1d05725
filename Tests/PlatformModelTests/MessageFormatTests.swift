import Diagnostics
import PlatformModel
import Testing

@Suite("What an event type says about its messages")
struct MessageFormatTests {
    private func check(_ eventType: String) -> (event: EventType?, findings: [Diagnostic]) {
        let (domain, findings) = TestDomains.check(
            """
            domain: shop
            entity: { primary_key: user_id }
            event_types:
              - name: order
            \(eventType.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
            aggregations:
              - name: orders
                from: [order]
                type: count
                window: { type: tumbling, duration: 1 hour }

            """)
        return (domain?.eventTypes.first, findings)
    }

    @Test("Format, time, id and the names of values in messages")
    func names() throws {
        let (event, findings) = check(
            """
            format: json
            event_time: { field: meta.at, format: epoch_s }
            event_id: number
            metrics: [{ name: amount, type: money, source_name: total }, { name: fee, type: money }]
            dimensions: [{ name: country, source_name: address.country }]
            fields:
              - name: agent
                type: record
                source_name: client
                fields: [{ name: os, type: string, source_name: system }, { name: cost, type: money }]
            """)
        #expect(findings.isEmpty, "\(TestDomains.describe(findings))")
        let type = try #require(event)
        #expect(type.format == .json)
        #expect(type.eventTime == EventTime(field: "meta.at", format: "epoch_s"))
        #expect(type.eventIDField == "number")
        #expect(
            type.messageNames.map { "\($0.path)=\($0.column)" } == [
                "number=event_id", "meta.at=timestamp", "total=amount", "address.country=country",
                "client.system=agent.os", "client.cost=agent.cost", "client.cost_cents=agent.cost_cents",
            ])
        #expect(type.sourceNames == Array(type.messageNames.dropFirst(2)))
    }

    @Test("Avro is what is written when nothing is said")
    func avro() throws {
        for text in ["dimensions: [country]", "format: avro\ndimensions: [country]"] {
            let type = try #require(check(text).event)
            #expect(type.format == .avro)
            #expect(type.messageNames.isEmpty)
        }
    }

    @Test("The event's id and time may be fields of the event")
    func sharedFields() {
        let (_, findings) = check(
            """
            format: json
            event_id: order_id
            event_time: { field: made, format: "%Y-%m-%d %H:%M:%S" }
            fields: [{ name: order_id, type: long }, { name: made, type: string }]
            """)
        #expect(findings.isEmpty, "\(TestDomains.describe(findings))")
    }

    @Test(
        "Two values at one place of a message are refused",
        arguments: [
            "dimensions: [{ name: a, source_name: b }, b]", "dimensions: [{ name: a, source_name: user_id }]",
            "dimensions: [{ name: a, source_name: b.c }, b]", "dimensions: [{ name: a, source_name: event_id.x }]",
            "metrics: [{ name: cost, type: money }, { name: other, source_name: cost_cents }]",
            "event_id: place\nfields: [{ name: place, type: record, fields: [{ name: city, type: string }] }]",
        ])
    func conflicts(_ text: String) {
        let findings = check("format: json\n" + text).findings
        #expect(findings.map(\.code) == [.payloadNameConflict], "\(TestDomains.describe(findings))")
        #expect(findings.first?.location != nil)
    }

    @Test("Names that cannot be honoured are refused")
    func unusableNames() {
        let empty = check("format: json\ndimensions: [{ name: a, source_name: b. }]").findings
        #expect(empty.map(\.code) == [.invalidValue], "\(TestDomains.describe(empty))")
        let inner = check(
            """
            format: json
            fields:
              - name: lines
                type: array<record>
                fields: [{ name: sku, type: string, source_name: article }]
            """
        ).findings
        #expect(inner.map(\.code) == [.notSupportedYet], "\(TestDomains.describe(inner))")
    }
}
