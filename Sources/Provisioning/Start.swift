// Provisioning: to be written.
