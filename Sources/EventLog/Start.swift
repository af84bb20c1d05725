// EventLog: to be written.
