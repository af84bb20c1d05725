"""Two queries over a SQLite file must give the same rows, and some: same_answers.py results.db QUERY QUERY."""
import sqlite3
import sys


def main():
    path, *queries = sys.argv[1:]
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    ours, theirs = (sorted(database.execute(query), key=repr) for query in queries)
    print(f"{len(ours)} and {len(theirs)} rows: {queries[0]}")
    for one, other in zip(ours, theirs):
        if one != other:
            print(f"  {one}\n  {other}")
            break
    sys.exit(0 if ours == theirs != [] else 1)


if __name__ == "__main__":
    main()
