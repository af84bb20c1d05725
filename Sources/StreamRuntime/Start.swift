// StreamRuntime: to be written.
