// Compression: to be written.
