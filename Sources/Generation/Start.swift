// Generation: to be written.
