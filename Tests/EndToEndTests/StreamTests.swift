import Foundation
import Testing

extension EndToEnd {
    /// Derived streams as tables and as inputs of aggregations, as DuckDB has them.
    @Suite("Derived streams against DuckDB")
    struct StreamTests {
        static let domain = """
            domain: orders
            entity: { primary_key: user_id }
            event_types:
              - name: purchase
                topic: events.orders.purchase
                attributes: [coupon]
                metrics: [{ name: item_count, type: long }, { name: total_amount, type: double }, { name: paid, type: money }]
                dimensions: [currency]
                fields: [{ name: place, type: record, fields: [{ name: city, type: string, nullable: true }] }]
            streams:
              - name: big_orders
                from: purchase
                steps:
                  - filter: total_amount > 100 or coupon like 'A%'
                  - derive:
                      price_with_tax: total_amount * 1.2
                      order_day: date_trunc('day', timestamp)
                      label: upper(coalesce(coupon, 'none'))
                      is_large: item_count > 5 and paid > 50
                  - project: [event_id, timestamp, user_id, price_with_tax, order_day, label, is_large, place.city, paid]
                sink: primary
              - name: labelled
                from: big_orders
                steps:
                  - filter: is_large or label <> 'NONE'
                  - derive: { twice: price_with_tax * 2, city_length: length(place.city) }
                sink: lines
              - { name: every_purchase, from: purchase, sink: lines }
            aggregations:
              - name: per_day
                from: [labelled]
                window: { type: tumbling, duration: 1 hour }
                group_by: [label, order_day]
                watermark_delay: 1 day
                filter: twice > 50
                measures:
                  - { name: orders, type: count }
                  - { name: total, type: sum, field: price_with_tax }
                  - { name: revenue, type: sum, field: paid }
                  - { name: users, type: count_distinct, field: user_id }
                  - { name: longest, type: max, field: city_length, filter: "is_large or twice > 300" }
            sinks:
              lines: { type: file, file: { path: .streamplat/lines } }

            """

        /// Events with nulls in every nullable field, out of order by up to a minute.
        static let events = """
            import json, random
            random.seed(7)
            start = 1_714_960_800_000
            with open("purchases.ndjson", "w") as out:
                for i in range(20_000):
                    event = {"event_id": f"e{i}", "timestamp": start + i * 2_000 - random.randrange(60_000),
                             "user_id": f"u{random.randrange(500)}", "currency": random.choice(["EUR", "USD"]),
                             "place": {"city": random.choice([None, "Bonn", "Göttingen", "Ulm"])}}
                    event["coupon"] = random.choice([None, "A1", "a2", "B3", "", "Ärger"])
                    event["item_count"] = random.choice([None, 0, 3, 6, 9])
                    event["total_amount"] = random.choice([None, round(random.uniform(0, 200), 2)])
                    event["paid"] = random.choice([None, "12.34", "99.10", "50.00"])
                    out.write(json.dumps(event) + "\\n")
            """

        static let judge = """
            import duckdb, json, math, sqlite3, sys
            db = duckdb.connect()
            db.execute(\"\"\"create table purchase as select event_id, epoch_ms("timestamp") as timestamp, user_id, coupon,
                item_count, total_amount, cast(paid as decimal(38,2)) as paid, currency, place.city as city
                from read_json('purchases.ndjson', format='newline_delimited', columns={event_id: 'varchar',
                "timestamp": 'bigint', user_id: 'varchar', coupon: 'varchar', item_count: 'bigint',
                total_amount: 'double', paid: 'varchar', currency: 'varchar', place: 'struct(city varchar)'})\"\"\")
            db.execute(\"\"\"create table big_orders as select event_id, timestamp, user_id, total_amount * 1.2 as price_with_tax,
                date_trunc('day', timestamp) as order_day, upper(coalesce(coupon, 'none')) as label,
                item_count > 5 and paid > 50 as is_large, city, paid from purchase
                where total_amount > 100 or coupon like 'A%'\"\"\")
            db.execute(\"\"\"create table labelled as select *, price_with_tax * 2 as twice, length(city) as city_length
                from big_orders where is_large or label <> 'NONE'\"\"\")
            db.execute(\"\"\"create table per_day as select date_trunc('hour', timestamp) as w, label, order_day,
                count(*), fsum(price_with_tax), sum(paid), count(distinct user_id),
                max(city_length) filter (where is_large or twice > 300)
                from labelled where twice > 50 group by all\"\"\")
            text = "strftime({}, '%Y-%m-%d %H:%M:%S.%g')".format
            cents = "cast(paid * 100 as bigint)"
            sqlite = sqlite3.connect(sys.argv[1])
            def same(name, ours, theirs):
                ours, theirs = sorted(ours, key=repr), sorted(theirs, key=repr)
                assert len(ours) == len(theirs) > 50, (name, len(ours), len(theirs))
                for one, other in zip(ours, theirs):
                    assert len(one) == len(other), (name, one, other)
                    for a, b in zip(one, other):
                        fits = math.isclose(a, b, rel_tol=1e-12) if isinstance(a, float) and isinstance(b, float) else a == b
                        assert fits, (name, one, other)
            same("big_orders", sqlite.execute("select * from big_orders").fetchall(), db.execute(
                f"select event_id, {text('timestamp')}, user_id, price_with_tax, {text('order_day')}, label, "
                f"cast(is_large as integer), city, {cents} from big_orders").fetchall())
            names = [row[1] for row in sqlite.execute("pragma table_info(big_orders)")]
            assert names == ["event_id", "timestamp", "user_id", "price_with_tax", "order_day", "label", "is_large",
                "place_city", "paid_cents"], names
            def lines(table, columns):
                with open(f".streamplat/lines/{table}.ndjson") as file:
                    rows = [json.loads(line) for line in file]
                assert all(list(row) == columns for row in rows), rows[0]
                return [tuple(row.values()) for row in rows]
            iso = "strftime({}, '%Y-%m-%dT%H:%M:%S.%gZ')".format
            same("labelled", lines("labelled", names + ["twice", "city_length"]), db.execute(
                f"select event_id, {iso('timestamp')}, user_id, price_with_tax, {iso('order_day')}, label, is_large, city, "
                f"{cents}, twice, city_length from labelled").fetchall())
            same("every_purchase", lines("every_purchase", ["event_id", "timestamp", "user_id", "coupon", "item_count",
                "total_amount", "paid_cents", "currency", "place_city"]), db.execute(
                f"select event_id, {iso('timestamp')}, user_id, coupon, item_count, total_amount, {cents}, currency, city "
                "from purchase").fetchall())
            same("per_day", sqlite.execute(
                "select window_start, label, order_day, orders, total, revenue, users, longest from per_day").fetchall(),
                [row[:5] + (None if row[5] is None else str(row[5]),) + row[6:] for row in db.execute(
                f"select {text('w')}, label, {text('order_day')}, * exclude (w, label, order_day) from per_day").fetchall()])
            """

        static let final = [
            "run", "orders", "--until-idle", "--close-windows", "--input", "purchase=purchases.ndjson",
        ]

        func python(_ project: TestProject, _ script: String, _ arguments: [String] = []) async throws {
            try project.write(script, to: "script.py")
            let outcome = try await ChildProcess(
                try #require(Requirements.python), ["script.py"] + arguments, folder: project.folder
            ).wait(limit: .seconds(60))
            try #require(outcome.code == 0, "\(outcome)")
        }

        private func project() async throws -> TestProject {
            let project = try TestProject()
            try project.write(Self.domain, to: "domains/orders.yaml")
            try await python(project, Self.events)
            let plan = try await project.streamplat("plan", "orders")
            #expect(plan.output.contains("table big_orders") || plan.output.contains("big_orders"), "\(plan)")
            try await project.streamplat("apply", "orders", "--yes")
            return project
        }

        private func judge(_ project: TestProject) async throws {
            try await python(project, Self.judge, [".streamplat/results.db"])
        }

        @Test(
            "filter, derive and project into a table and files, and an aggregation over a stream: every row is DuckDB's"
        )
        func sameAnswers() async throws {
            let project = try await project()
            let valid = try await project.streamplat("validate", "orders")
            #expect(
                valid.output.contains("3 streams") && valid.output.contains("stream labelled of big_orders"), "\(valid)"
            )
            let run = try await project.start(Self.final).wait(limit: .seconds(120))
            try #require(run.code == 0, "\(run)")
            try await judge(project)
            let again = try await project.start(Self.final + ["--output", "json"]).wait(limit: .seconds(120))
            #expect(again.code == 0 && again.output.contains(/"events_read": ?0\b/), "\(again)")
            try await judge(project)
        }

        @Test("Killed at every step and started again, each row is in its table and in its file once")
        func killed() async throws {
            let project = try await project()
            let busy = [
                "--set", "runtime.checkpoint.interval=20 ms", "--set", "runtime.flush_interval=10 ms", "--batch-rows",
                "64", "--workers", "2",
            ]
            var kills = 0
            for point in [
                "after-state:110", "after-sink:2", "before-sink:150", "before-offset-commit:2", "during-checkpoint:2",
                "after-decode:30",
            ] {
                let run = try await project.start(Self.final + busy, environment: ["STREAMPLAT_TEST_KILL": point]).wait(
                    limit: .seconds(60))
                if run.code == 128 + SIGKILL { kills += 1 }
            }
            #expect(kills >= 2, "most of them do not come to an end")
            let last = try await project.start(Self.final).wait(limit: .seconds(120))
            try #require(last.code == 0, "\(last)")
            try await judge(project)
        }

        @Test("A changed stream is counted anew, with what reads it; a new one backfills, others go on")
        func changed() async throws {
            let project = try await project()
            let first = try await project.start(Self.final).wait(limit: .seconds(120))
            try #require(first.code == 0, "\(first)")
            try project.edit("domains/orders.yaml", "total_amount * 1.2", "total_amount * 1.25")
            let plan = try await project.streamplat("plan", "orders")
            for table in ["big_orders", "labelled", "per_day"] { #expect(plan.output.contains(table), "\(plan)") }
            #expect(plan.output.contains("counted anew"), "\(plan)")
            let refused = try await project.start(Self.final).wait(limit: .seconds(60))
            #expect(refused.code == 3 && refused.errors.contains("streamplat apply"), "\(refused)")
            try await project.streamplat("apply", "orders", "--yes")
            let run = try await project.start(Self.final).wait(limit: .seconds(120))
            try #require(run.code == 0, "\(run)")
            try await python(
                project, Self.judge.replacingOccurrences(of: "total_amount * 1.2 ", with: "total_amount * 1.25 "),
                [".streamplat/results.db"])
        }
    }
}
