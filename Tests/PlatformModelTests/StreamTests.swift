import DataPath
import Diagnostics
import PlatformModel
import PluginAPI
import Testing

@Suite("Streams of a domain file")
struct StreamTests {
    private static let events = """
        domain: shop
        entity: { primary_key: user_id }
        event_types:
          - name: purchase
            metrics: [{ name: total_amount, type: money }, { name: item_count, type: long }, price_seen]
            attributes: [coupon]
            dimensions: [currency]
            fields: [{ name: place, type: record, fields: [{ name: city, type: string }] }]
          - { name: search, attributes: [query], metrics: [{ name: item_count, type: long }] }

        """

    private static let bigOrders = """
        streams:
          - name: big_orders
            from: purchase
            steps:
              - filter: total_amount > 100
              - derive: { price_with_tax: "price_seen * 1.2", order_day: "date_trunc('day', timestamp)", doubled: price_with_tax * 2 }
              - project: [event_id, timestamp, entity_id, total_amount, place.city, price_with_tax, doubled, order_day]
            sink: primary

        """

    private func check(_ rest: String) -> (domain: DomainDefinition?, findings: [Diagnostic]) {
        TestDomains.check(Self.events + rest)
    }

    @Test("filter, derive and project give a stream with typed columns, and its table in the projected order")
    func reads() throws {
        let (domain, findings) = check(Self.bigOrders)
        #expect(findings.filter { $0.code.id != "SP2109" }.isEmpty, "\(TestDomains.describe(findings))")
        let stream = try #require(domain?.streams.first)
        #expect(stream.eventType == "purchase" && stream.parent == nil && stream.steps.count == 3)
        let table = try #require(stream.table)
        #expect(
            table.columns.map(\.name) == [
                "event_id", "timestamp", "user_id", "total_amount_cents", "place_city", "price_with_tax", "doubled",
                "order_day",
            ])
        #expect(
            table.columns.map(\.type) == [
                .string, .timestamp, .string, .long, .string, .double, .double, .timestamp,
            ])
        #expect(table.columns.map(\.isNullable) == [false, false, false, true, false, true, true, false])
        #expect(table.key == ["event_id"] && table.content == .rawEvents)
    }

    @Test("a stream reads an earlier stream, and an aggregation reads both kinds of columns of it")
    func chain() throws {
        let (domain, findings) = check(
            Self.bigOrders + """
                  - { name: huge, from: big_orders, steps: [{ filter: price_with_tax > 1000 }] }
                aggregations:
                  - name: per_day
                    from: [huge]
                    window: { type: tumbling, duration: 1 day }
                    group_by: [order_day, place.city]
                    filter: doubled > 10
                    measures:
                      - { name: orders, type: count }
                      - { name: total, type: sum, field: price_with_tax }
                      - { name: revenue, type: sum, field: total_amount, filter: "doubled < 100000" }

                """)
        #expect(findings.filter { $0.severity == .error }.isEmpty, "\(TestDomains.describe(findings))")
        let aggregation = try #require(domain?.aggregations.first)
        #expect(aggregation.inputs == ["purchase"] && aggregation.streams == ["huge"])
        #expect(aggregation.groupNames == ["order_day", "place_city"])
        #expect(aggregation.spec.measures.map(\.column) == [nil, "price_with_tax", "total_amount_cents"])
        #expect(domain?.streams.map(\.parent) == [nil, "big_orders"])
        #expect(domain?.streams.last?.table == nil, "only others read it")
    }

    @Test("another step is another fingerprint, of the stream, of its table and of what reads it; another sink is not")
    func fingerprints() throws {
        func domain(_ limit: Int, sink: String = "primary") throws -> DomainDefinition {
            let text = Self.bigOrders.replacing("> 100", with: "> \(limit)").replacing("sink: primary", with: sink)
            return try #require(
                check(
                    text + """
                        aggregations:
                          - { name: orders, from: [big_orders], type: count, window: { type: tumbling, duration: 1 day } }

                        """
                ).domain)
        }
        let (one, same) = (try domain(100, sink: "sink: primary"), try domain(100, sink: "sink: primary"))
        let (other, unwritten) = (try domain(200, sink: "sink: primary"), try domain(100, sink: "description: none"))
        #expect(one.streams[0].fingerprint == same.streams[0].fingerprint)
        #expect(one.aggregations[0].fingerprint == same.aggregations[0].fingerprint)
        #expect(one.streams[0].fingerprint != other.streams[0].fingerprint)
        #expect(one.streams[0].table?.fingerprint != other.streams[0].table?.fingerprint)
        #expect(one.aggregations[0].fingerprint != other.aggregations[0].fingerprint)
        #expect(one.aggregations[0].fingerprint == unwritten.aggregations[0].fingerprint)
    }

    @Test("counting values instead of hashes is another fingerprint; saying that they are hashes is not")
    func strictFingerprint() throws {
        func fingerprint(_ more: String) throws -> String {
            let domain = try #require(
                check(
                    Self.bigOrders + """
                        aggregations:
                          - name: buyers
                            from: [big_orders]
                            window: { type: tumbling, duration: 1 day }
                            measures: [{ name: buyers, type: count_distinct, field: event_id\(more) }]

                        """
                ).domain)
            return domain.aggregations[0].fingerprint
        }
        #expect(try fingerprint(", strict: true") != fingerprint(""))
        #expect(try fingerprint(", strict: false") == fingerprint(""))
    }

    @Test(
        "what is wrong with a stream is one error at its place, with what to do",
        arguments: [
            ("{ name: s, from: purchas }", "SP2112", "purchas", "'purchase'"),
            ("{ name: s, from: s }", "SP2200", "reads itself", "earlier stream"),
            ("{ name: s, from: t }, { name: t, from: search }", "SP2200", "comes after", "before it"),
            ("{ name: search, from: purchase }", "SP2101", "'search'", "another name"),
            ("{ name: s, from: purchase, sink: primry }", "SP2113", "primry", "'primary'"),
            ("{ name: s, from: purchase, topic: events.s }", "SP2005", "'topic'", "sink: primary"),
            ("{ name: s, from: purchase, steps: [{ fliter: a > 1 }] }", "SP4020", "fliter", "'filter'"),
            (
                "{ name: s, from: purchase, steps: [{ dedupe: { by: event_id } }] }", "SP2005", "'dedupe'",
                "derive, filter, project"
            ),
            (
                "{ name: s, from: purchase, steps: [{ lookup: { table: t } }] }", "SP2005", "'lookup'",
                "derive, filter, project"
            ),
            (
                "{ name: s, from: purchase, steps: [{ filter: item_count > 1, project: [event_id] }] }", "SP2201",
                "'filter', 'project'", "in the order"
            ),
            ("{ name: s, from: purchase, steps: [filter] }", "SP2201", "an operator", "derive, filter, project"),
            ("{ name: s, from: purchase, steps: [{ filter: item_count + 1 }] }", "SP2303", "true or false", "compare"),
            ("{ name: s, from: purchase, steps: [{ filter: item_cont > 1 }] }", "SP2302", "item_cont", "'item_count'"),
            (
                "{ name: s, from: purchase, steps: [{ derive: { a: itm_count } }] }", "SP2302", "itm_count",
                "'item_count'"
            ),
            ("{ name: s, from: purchase, steps: [{ derive: { a: [1] } }] }", "SP2003", "a text", ""),
            ("{ name: s, from: purchase, steps: [{ derive: {} }] }", "SP2004", "empty", "price_with_tax"),
            ("{ name: s, from: purchase, steps: [{ derive: }] }", "SP2002", "'derive'", "names"),
            ("{ name: s, from: purchase, steps: [{ derive: { coupon: 1 } }] }", "SP2202", "'coupon'", "purchase"),
            ("{ name: s, from: purchase, steps: [{ derive: { a: 1 } }, { derive: { a: 2 } }] }", "SP2202", "'a'", ""),
            ("{ name: s, from: purchase, steps: [{ derive: { a-b: 1 } }] }", "SP2100", "'a-b'", "letter"),
            (
                "{ name: s, from: purchase, steps: [{ project: [event_id, curency] }] }", "SP2111", "curency",
                "'currency'"
            ),
            ("{ name: s, from: purchase, steps: [{ project: [event_id, place] }] }", "SP2111", "place", "place.city"),
            ("{ name: s, from: purchase, steps: [{ project: [event_id, event_id] }] }", "SP2101", "event_id", ""),
            (
                "{ name: s, from: purchase, sink: primary, steps: [{ project: [currency] }] }", "SP2203", "event_id",
                "add"
            ),
            (
                "{ name: s, from: purchase, sink: primary, steps: [{ derive: { place_city: 1 } }] }", "SP2101",
                "place_city", "leave"
            ),
            (
                "{ name: s, from: purchase, steps: [{ project: [event_id] }, { filter: item_count > 1 }] }", "SP2302",
                "item_count", "stream 's'"
            ),
        ])
    func refuses(_ streams: String, _ code: String, _ message: String, _ hint: String) throws {
        let findings = check("streams: [\(streams)]\n").findings.filter { $0.severity == .error }
        #expect(findings.map(\.code.id) == [code], "\(TestDomains.describe(findings))")
        let finding = try #require(findings.first)
        #expect(finding.message.contains(message), "\(finding)")
        #expect(hint.isEmpty || finding.hint?.contains(hint) == true, "\(finding)")
        #expect(finding.location?.line == 10 && finding.path?.hasPrefix("streams") == true, "\(finding)")
    }

    @Test("an error in a step's expression points into the text")
    func places() throws {
        let (_, findings) = check(
            """
            streams:
              - name: s
                from: purchase
                steps:
                  - derive: { a: "upper(currency)", b: "a + 1" }

            """)
        let finding = try #require(findings.first { $0.severity == .error })
        #expect(finding.location?.line == 14 && finding.location?.column == 45, "\(finding)")
        #expect(finding.path == "streams.s.steps.0.derive")
    }

    @Test("a step that is wrong does not hide an unknown one behind it")
    func allSteps() {
        let (_, findings) = check(
            "streams: [{ name: s, from: purchase, steps: [{ filter: a > 1 }, { project: [a] }, { lookup: { table: t } }] }]\n"
        )
        #expect(
            findings.filter { $0.severity == .error }.map(\.code.id).sorted() == ["SP2005", "SP2302"],
            "\(TestDomains.describe(findings))")
    }

    @Test(
        "an aggregation does not count events twice, nor takes columns of two types for one",
        arguments: [
            ("from: [purchase, s], type: count", "SP2204", "'purchase' and 's'"),
            ("from: [s, search], type: sum, field: n", "SP2111", "'n'"),
            ("from: [s, t], type: sum, field: n", "SP2205", "double"),
            ("from: [s, nothing], type: count", "SP2112", "nothing"),
        ])
    func aggregations(_ lines: String, _ code: String, _ message: String) {
        let (_, findings) = check(
            """
            streams:
              - { name: s, from: purchase, steps: [{ derive: { n: item_count + 1 } }] }
              - { name: t, from: search, steps: [{ derive: { n: 1.5e0 } }] }
            aggregations:
              - { name: a, \(lines), window: { type: tumbling, duration: 1 day } }

            """)
        let errors = findings.filter { $0.severity == .error }
        #expect(errors.map(\.code.id) == [code], "\(TestDomains.describe(findings))")
        #expect(errors.first?.message.contains(message) == true, "\(errors)")
        #expect(errors.first?.location?.line == 14)
    }

    private static let counted =
        "aggregations: [{ name: a, from: [%], type: count, window: { type: tumbling, duration: 1 day } }]\n"
    private static let watched = "event_alerts: [{ name: a, from: s, condition: item_count > 1 }]\n"

    @Test(
        "a stream that is not computed is a warning; a sink, an aggregation or a computed stream that reads it is enough",
        arguments: [
            ("{ name: s, from: purchase }", "", ["s"]),
            ("{ name: s, from: purchase }, { name: t, from: s }", "", ["s", "t"]),
            ("{ name: s, from: purchase }, { name: t, from: s }, { name: u, from: t }", "", ["s", "t", "u"]),
            ("{ name: s, from: purchase }, { name: t, from: s }, { name: u, from: t, sink: primary }", "", []),
            ("{ name: s, from: purchase }, { name: t, from: s }, { name: u, from: s, sink: primary }", "", ["t"]),
            ("{ name: s, from: purchase, sink: primary }, { name: t, from: s }", "", ["t"]),
            ("{ name: s, from: purchase, sink: primary }", "", []),
            ("{ name: s, from: purchase }", StreamTests.counted.replacing("%", with: "s"), []),
            ("{ name: s, from: purchase }, { name: t, from: s }", StreamTests.counted.replacing("%", with: "t"), []),
            ("{ name: s, from: purchase }, { name: t, from: s }", StreamTests.counted.replacing("%", with: "s"), ["t"]),
            ("{ name: s, from: purchase }", StreamTests.watched, ["s"]),
            ("{ name: s, from: purchase, sink: primary }", StreamTests.watched, []),
            ("{ name: s, from: purchase }", StreamTests.watched + StreamTests.counted.replacing("%", with: "s"), []),
            // What would read it may be wrong.
            ("{ name: s, from: purchase }", "aggregations: [{ name: a, from: [s], type: count }]\n", []),
        ] as [(String, String, [String])])
    func unread(_ streams: String, _ rest: String, _ names: [String]) throws {
        let findings = check("streams: [\(streams)]\n" + rest).findings.filter { $0.code.id == "SP2206" }
        #expect(findings.map { $0.path } == names.map { "streams.\($0)" })
        for (finding, name) in zip(findings, names) {
            #expect(finding.severity == .warning && finding.location?.line == 10, "\(finding)")
            #expect(
                finding.message.contains("stream '\(name)'") && finding.hint?.contains("sink") == true, "\(finding)")
        }
    }

    @Test(
        "the warning of a stream that is not computed says what reads it, and what to write",
        arguments: [
            ("", "", "nothing reads stream 's'", "write its rows with `sink: primary`"),
            (
                "", StreamTests.watched, "only event alerts, which do nothing yet, read stream 's'",
                "write its rows with `sink: primary`"
            ),
            (
                ", { name: t, from: s }, { name: u, from: s }", "",
                "only streams that are not computed read stream 's'", "or those of 't' or 'u', with `sink: primary`"
            ),
            (
                ", { name: t, from: s }", StreamTests.watched,
                "only streams that are not computed and event alerts, which do nothing yet, read stream 's'",
                "or those of 't', with `sink: primary`"
            ),
        ])
    func unreadWording(_ streams: String, _ rest: String, _ fact: String, _ hint: String) throws {
        let findings = check("streams: [{ name: s, from: purchase }\(streams)]\n" + rest).findings
        let finding = try #require(findings.first { $0.code.id == "SP2206" })
        #expect(finding.message == "\(fact), and it has no sink: it is not computed")
        #expect(finding.hint?.contains(hint) == true, "\(finding)")
    }

    @Test("an event alert reads a stream's columns with 'from'")
    func alerts() throws {
        let (domain, findings) = check(
            Self.bigOrders
                + "event_alerts: [{ name: a, from: big_orders, condition: price_with_tax > 500 and doubled > 1 }]\n")
        let alert = try #require(domain?.alerts.first, "\(TestDomains.describe(findings))")
        guard case .event("purchase", "big_orders") = alert.kind else {
            Issue.record("\(alert.kind)")
            return
        }
    }

    @Test(
        "an alert over a stream that cannot be is refused with what to write",
        arguments: [
            ("event_type: big_orders, condition: doubled > 1", "SP2112", "from: big_orders"),
            ("from: big_orderz, condition: doubled > 1", "SP2112", "did you mean 'big_orders'?"),
            ("from: big_orders, event_type: purchase, condition: doubled > 1", "SP2124", "a stream"),
            ("from: big_orders, condition: coupon = 'A'", "SP2302", ""),
        ])
    func refusedAlerts(_ lines: String, _ code: String, _ hint: String) throws {
        let errors = check(Self.bigOrders + "event_alerts: [{ name: a, \(lines) }]\n").findings.filter {
            $0.severity == .error
        }
        #expect(errors.map(\.code.id) == [code], "\(TestDomains.describe(errors))")
        #expect(
            errors.first?.location?.line == 18 && errors.first?.path?.hasPrefix("event_alerts.0") == true, "\(errors)")
        #expect(errors.first?.hint?.contains(hint) ?? hint.isEmpty, "\(errors)")
    }

    @Test("without 'from' an aggregation reads event types, never streams")
    func inference() {
        let (domain, findings) = check(
            Self.bigOrders + """
                aggregations:
                  - { name: a, type: count, group_by: [currency], window: { type: tumbling, duration: 1 day } }

                """)
        #expect(domain?.aggregations.first?.inputs == ["purchase"], "\(TestDomains.describe(findings))")
        #expect(domain?.aggregations.first?.streams == [nil])
    }
}
