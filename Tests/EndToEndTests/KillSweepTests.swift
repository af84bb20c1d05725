import Foundation
import Testing

extension EndToEnd {
    /// Many kills of a run with many workers and hasty settings, while events keep coming.
    @Suite("Kill sweep")
    struct KillSweepTests {
        private static let hasty = [
            "runtime.workers=8", "runtime.idle_timeout=60 ms", "runtime.flush_interval=20 ms",
            "runtime.checkpoint.interval=50 ms",
        ]
        private static let events = Requirements.events / 5

        @Test("25 SIGKILLs of 8 workers while another process generates: the final tables are DuckDB's")
        func sweep() async throws {
            let project = try TestProject()
            try project.write(
                """
                domain: pulse
                entity: { primary_key: device }
                event_types:
                  - name: beat
                    topic: { name: events.beat, partitions: 12 }
                    dimensions: [site]
                    fields: [{ name: value, type: double }, { name: steps, type: long }]
                aggregations:
                  - name: per_second
                    from: [beat]
                    window: { type: tumbling, duration: 1 second }
                    watermark_delay: 5 seconds
                    group_by: [site]
                    measures:
                      - { name: beats, type: count }
                      - { name: total, type: sum, field: value }
                      - { name: devices, type: count_distinct, field: device }
                      - { name: strict_devices, type: count_distinct, field: device, strict: true }
                  - name: sliding
                    from: [beat]
                    window: { type: sliding, duration: 4 seconds, slide: 1 second }
                    watermark_delay: 5 seconds
                    emit: final
                    measures:
                      - { name: steps, type: sum, field: steps }
                      - { name: highest, type: max, field: value }
                sample_data: { site: [north, south, east] }

                """, to: "domains/pulse.yaml")
            try await project.streamplat("apply", "pulse", "--yes")
            // Event time keeps step with the clock: with so short an idle timeout a partition that pauses while event time
            // leaps would otherwise have late events, by rule.
            let seconds = 15
            let stream = [
                "generate", "pulse", "--events", "\(Self.events)", "--seed", "7", "--span", "\(seconds)s", "--start",
                "2024-05-06T10:00:00Z",
            ]
            let file = try await project.start(stream + ["--out", "beats.ndjson"]).wait(limit: .seconds(60))
            try #require(file.code == 0, "\(file)")
            let generator = try project.start(stream + ["--rate", "\(Self.events / seconds)"])
            let run = ["run", "pulse"] + Self.hasty.flatMap { ["--set", $0] }
            var random = SeededRandom(seed: Torture.seed)
            print("kill sweep: STREAMPLAT_TORTURE_SEED=\(Torture.seed)")
            var moments: [Int] = []
            for _ in 0..<25 {
                moments.append(Int.random(in: 10...600, using: &random))
                let child = try project.start(run)
                // Before that there is nothing to disturb.
                try await child.waitForErrors("run started")
                try await Task.sleep(for: .milliseconds(moments.last ?? 0))
                child.send(SIGKILL)
                let outcome = try await child.wait(limit: .seconds(30))
                #expect(outcome.code == 128 + SIGKILL, "\(outcome)")
            }
            let generated = try await generator.wait(limit: .seconds(60))
            #expect(generated.code == 0, "\(generated)")
            let last = try await project.start(run + ["--until-idle", "--close-windows"]).wait(limit: .seconds(60))
            #expect(
                last.code == 0 && last.output.contains(" 0 late") && last.output.contains(" 0 dead letters"),
                "after \(moments) ms: \(last)")
            let verdict = try await project.python(
                "judge.py",
                [
                    "generated", "--domain", "domains/pulse.yaml", "--events", "beats.ndjson", "--type", "beat", "--db",
                    ".streamplat/results.db",
                ])
            #expect(verdict.code == 0, "after \(moments) ms: \(verdict)")
        }
    }
}
