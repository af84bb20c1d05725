// LibAvro: to be written.
