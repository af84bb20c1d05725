/// Mistakes in how state is saved and read that a simulation must find. Only a test can plant one; asked once a run of groups.
package enum StateFault: Sendable {
    /// An older value of a group is added to the newer one, which replaces it.
    case olderValueAdded
    /// A group that changed is left out of what is written.
    case changeForgotten
}
