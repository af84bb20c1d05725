// SQLiteClient: to be written.
