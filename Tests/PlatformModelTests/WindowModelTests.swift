import DataPath
import Diagnostics
import PluginAPI
import Testing

@testable import PlatformModel

@Suite("Windows of a domain file")
struct WindowModelTests {
    private func check(_ lines: String) -> (aggregation: Aggregation?, findings: [Diagnostic]) {
        let (domain, findings) = TestDomains.check(
            """
            domain: meters
            entity: { primary_key: meter }
            event_types: [{ name: reading, fields: [{ name: value, type: long }] }]
            aggregations: [{ name: sums, from: [reading], type: count, \(lines) }]

            """)
        return (domain?.aggregations.first, findings)
    }

    @Test("session and cumulate windows, allowed lateness and the side output are read")
    func reads() {
        let session = check("window: { type: session, gap: 30 minutes }, late: side_output, allowed_lateness: 1 minute")
        #expect(session.aggregation?.spec.window == .session(gapMilliseconds: 1_800_000), "\(session.findings)")
        #expect(session.aggregation?.late == .sideOutput)
        #expect(session.aggregation?.spec.allowedLatenessMilliseconds == 60_000)
        #expect(session.aggregation?.table.replacesInside == true)
        let cumulate = check("window: { type: cumulate, duration: 1 hour, step: 5 minutes, origin: 10 minutes }")
        #expect(
            cumulate.aggregation?.spec.window
                == .cumulate(durationMilliseconds: 3_600_000, stepMilliseconds: 300_000, originMilliseconds: 600_000),
            "\(cumulate.findings)")
        #expect(cumulate.aggregation?.table.replacesInside == false)
    }

    @Test(
        "what makes no window is refused, and each key where it does not belong",
        arguments: [
            ("{ type: cumulate, duration: 1 hour, step: 7 minutes }", "SP2117", "multiple of the step"),
            ("{ type: cumulate, duration: 1 hour }", "SP2002", "step"),
            ("{ type: session }", "SP2002", "gap"),
            ("{ type: session, gap: 0 seconds }", "SP2004", "zero"),
            ("{ type: session, gap: 1 minute, duration: 1 hour }", "SP2117", "a session window has no duration"),
            ("{ type: session, gap: 1 minute, origin: 1 hour }", "SP2117", "a session window has no origin"),
            ("{ type: tumbling, duration: 1 hour, step: 1 minute }", "SP2117", "a tumbling window has no step"),
            ("{ type: sliding, duration: 1 hour, slide: 1 minute, gap: 1 minute }", "SP2117", "no gap"),
            ("{ type: unbounded }", "SP2005", "unbounded"),
        ])
    func refuses(_ window: String, _ code: String, _ text: String) {
        let findings = check("window: \(window)").findings.filter { $0.severity == .error }
        #expect(findings.map(\.code.id) == [code])
        #expect(findings.first?.message.contains(text) == true, "\(findings)")
    }
}
