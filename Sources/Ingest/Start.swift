// Ingest: to be written.
