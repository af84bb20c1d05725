import Foundation
import Testing

extension EndToEnd {
    @Suite("Domains by YAML alone")
    struct NewDomainTests {
        /// Differently shaped from every domain of the repository: observatory nights, with a record in a record, an array,
        /// an enum, decimals, a boolean group, a nullable group, and names in other places than usual.
        static let observatory = """
            domain: observatory
            description: What telescopes saw
            entity: { primary_key: telescope }
            namespace: org.example.sky

            types:
              magnitude: "decimal(7,3)"

            event_types:
              - name: exposure
                fields:
                  - { name: band, type: enum, symbols: [u, g, r, i, z] }
                  - { name: brightness, type: magnitude, generate: { type: normal, mean: 17, deviation: 2 } }
                  - { name: counts, type: long, generate: { type: uniform, min: 1, max: 100000 } }
                  - { name: seeing, type: double, generate: { type: lognormal, median: 1.1, sigma: 0.3 } }
                  - { name: clouded, type: boolean }
                  - { name: flags, type: "array<string>", values: [saturated, cosmic_ray, guided] }
                  - name: target
                    type: record
                    fields:
                      - { name: survey, type: string, values: { deep: 2, wide: 5 } }
                      - name: position
                        type: record
                        nullable: true
                        fields:
                          - { name: ra, type: double, generate: { type: uniform, min: 0, max: 360 } }
                          - { name: zone, type: int, generate: { type: uniform, min: -3, max: 3 } }
              - name: calibration
                attributes: [operator]
                metrics: [{ name: offset, type: "decimal(12,6)", nullable: false, generate: { type: normal, mean: 0, deviation: 4 } }]

            aggregations:
              - name: night_log
                from: [exposure]
                window: { type: sliding, duration: 45 minutes, slide: 15 minutes }
                group_by: [fields.target.survey, band]
                watermark_delay: 30 seconds
                measures:
                  - { name: exposures, type: count }
                  - { name: clear, type: count, filter: "not clouded and brightness < 18.5" }
                  - { name: faintest, type: max, field: brightness }
                  - { name: light, type: sum, field: counts }
                  - { name: mean_brightness, type: avg, field: brightness }
                  - { name: mean_seeing, type: avg, field: seeing }
                  - { name: worst_seeing, type: max, field: seeing }
                  - { name: telescopes, type: count_distinct, field: entity_id }
              - name: by_zone
                from: [exposure]
                type: sum
                field: brightness
                as: total_brightness
                filter: "target.position.zone between -1 and 2 or clouded"
                window: { type: tumbling, duration: 90 seconds, origin: 30 seconds }
                group_by: [target.position.zone, clouded]
              - name: offsets
                from: [calibration]
                window: { type: tumbling, duration: 10 minutes }
                measures:
                  - { name: lowest, type: min, field: offset }
                  - { name: total, type: sum, field: offset }
                  - { name: mean, type: avg, field: offset }
                  - { name: different, type: count_distinct, field: offset }

            synthetic: { seed: 9, entity_pool_size: 40 }
            """ + "\n"

        @Test("A domain never seen before: validate, apply, generate, run, query, judged by DuckDB")
        func neverSeenBefore() async throws {
            let project = try TestProject()
            try project.write(Self.observatory, to: "domains/observatory.yaml")
            let validated = try await project.streamplat("validate", "observatory")
            #expect(!validated.errors.contains("error"), "\(validated)")
            try await project.streamplat("apply", "observatory", "--yes")
            try await project.streamplat("schema", "--domain", "observatory", "--check")
            let stream = [
                "generate", "observatory", "--events", "50000", "--seed", "9", "--start", "2024-05-06", "--span", "8h",
            ]
            for arguments in [stream, stream + ["--out", "events.ndjson"]] {
                let outcome = try await project.start(arguments).wait(limit: .seconds(120))
                try #require(outcome.code == 0, "\(outcome)")
            }
            try await project.streamplat("run", "observatory", "--until-idle", "--close-windows")
            try await project.judge(
                "generated", "--domain", "domains/observatory.yaml", "--events", "events.ndjson",
                "--db", ".streamplat/results.db", "--least-rows", "10")
            let listed = try await project.streamplat("query", "--domain", "observatory")
            for table in ["night_log", "by_zone", "offsets"] { #expect(listed.output.contains(table), "\(listed)") }
            let asked = try await project.streamplat(
                "query", "select band, sum(exposures) as n from night_log group by band order by band",
                "--domain", "observatory", "--output", "json")
            let rows = try #require(
                try JSONSerialization.jsonObject(with: Data(asked.output.utf8)) as? [[String: Any]], "\(asked)")
            #expect(rows.compactMap { $0["band"] as? String } == ["g", "i", "r", "u", "z"], "\(asked)")
            let drawn = try await project.streamplat(
                "query", "select band, sum(exposures) as n from night_log group by band", "--domain", "observatory",
                "--chart", "n")
            #expect(drawn.output.contains("█") || drawn.output.contains("#"), "\(drawn)")
        }

        @Test("fastavro accepts the schemas of every shipped domain")
        func schemas() async throws {
            let project = try TestProject()
            for domain in ["cdnow", "clickstream", "ecommerce", "fintech", "iot", "logistics"] {
                try await project.streamplat("schema", "--write", "--domain", domain)
            }
            let files = project.files("schemas", suffix: ".avsc").map { project.path("schemas/\($0)") }
            let verdict = try await project.python("schemas.py", files)
            #expect(verdict.code == 0 && verdict.output.contains("16 schemas accepted"), "\(verdict)")
        }

        @Test(
            "Avro files hold what NDJSON files hold, read by fastavro",
            arguments: [
                ("observatory", "exposure"), ("observatory", "calibration"), ("logistics", "scan"),
                ("logistics", "claim"),
                ("fintech", "transaction"), ("fintech", "transfer"), ("iot", "sensor_reading"),
                ("ecommerce", "purchase"),
            ])
        func avroFiles(_ domain: String, _ eventType: String) async throws {
            let project = try TestProject()
            try project.write(Self.observatory, to: "domains/observatory.yaml")
            for ending in ["avro", "ndjson"] {
                try await project.streamplat(
                    "generate", domain, "--events", "5000", "--seed", "9", "--start", "2024-05-06", "--span", "8h",
                    "--event-type", eventType, "--out", "events.\(ending)")
            }
            let verdict = try await project.python("same_records.py", ["events.avro", "events.ndjson"])
            #expect(verdict.code == 0 && verdict.output.contains("5000 records agree"), "\(verdict)")
        }

        @Test(
            "Events of a file come back through ingest: NDJSON, CSV and Avro give the same tables",
            arguments: ["ndjson", "csv", "avro"])
        func throughFiles(_ format: String) async throws {
            let project = try TestProject()
            try project.write(Self.observatory, to: "domains/observatory.yaml")
            let stream = [
                "generate", "observatory", "--events", "20000", "--seed", "9", "--start", "2024-05-06", "--span", "8h",
            ]
            for type in ["exposure", "calibration"] {
                for ending in Set(["ndjson", format]) {
                    let file = ["--event-type", type, "--out", "\(type).\(ending)"]
                    let outcome = try await project.start(stream + file).wait(limit: .seconds(120))
                    try #require(outcome.code == 0, "\(outcome)")
                }
            }
            try await project.streamplat("apply", "observatory", "--yes")
            for type in ["exposure", "calibration"] {
                try await project.streamplat("ingest", type, "\(type).\(format)", "--domain", "observatory")
            }
            try await project.streamplat("run", "observatory", "--until-idle", "--close-windows")
            try project.write(
                Data(
                    try ["exposure", "calibration"].flatMap { type in
                        String(decoding: try project.read("\(type).ndjson"), as: UTF8.self).split(separator: "\n")
                            .map { "{\"event_type\":\"\(type)\"," + $0.dropFirst() + "\n" }
                    }.joined().utf8), to: "events.ndjson")
            try await project.judge(
                "generated", "--domain", "domains/observatory.yaml", "--events", "events.ndjson", "--db",
                ".streamplat/results.db")
        }
    }
}
