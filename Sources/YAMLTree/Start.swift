// YAMLTree: to be written.
