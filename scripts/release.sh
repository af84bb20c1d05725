# How the executable is built for use; sourced by whatever builds it, so that none builds it again.
# Swift's checks for overlapping access to a variable at run time took up to a third of the CPU where groups are many
# (docs/performance.md). They stay in debug builds and in the builds of all tests, which would meet such an access.
release_options=(-c release -Xswiftc -enforce-exclusivity=unchecked --scratch-path .build-release)
