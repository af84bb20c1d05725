// to be written.
