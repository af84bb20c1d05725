/// An expression as a flat list of steps, each of which computes one column from earlier ones.
///
/// A value: it names columns, holds no data, and may be shared and compared. ``BoundProgram`` runs it.
public struct VectorProgram: Hashable, Sendable {
    /// One step; its result is the register of the step's own index.
    public enum Step: Hashable, Sendable {
        case column(String, PhysicalType)
        case constant(VectorConstant)
        /// The operation and the registers of its inputs.
        case apply(VectorOperation, [Int])
    }

    public let steps: [Step]
    /// The register that holds the result.
    public let result: Int
    public let resultType: LogicalType

    /// Names of the columns that it reads, each once, in the order of first use.
    public var columns: [String] {
        steps.compactMap { if case .column(let name, _) = $0 { name } else { nil } }
    }

    /// The value of a program that reads no column and whose result is the same for every row, if it is one step.
    public var constant: VectorConstant? {
        if case .constant(let constant) = steps[result] { constant } else { nil }
    }

    fileprivate init(steps: [Step], result: Int, resultType: LogicalType) {
        self.steps = steps
        self.result = result
        self.resultType = resultType
    }
}

/// Builds a ``VectorProgram`` step by step; equal steps are computed once.
public struct VectorProgramBuilder {
    private var steps: [VectorProgram.Step] = []
    private var registers: [VectorProgram.Step: Int] = [:]

    public init() {}

    /// The register of a column.
    public mutating func column(_ name: String, _ type: PhysicalType) -> Int { register(.column(name, type)) }

    /// The register of a constant.
    public mutating func constant(_ value: VectorConstant) -> Int { register(.constant(value)) }

    /// The register of an operation's result. The inputs are registers of this builder, as many as the operation has.
    public mutating func apply(_ operation: VectorOperation, _ inputs: [Int]) -> Int {
        precondition(inputs.count == operation.arity && inputs.allSatisfy { steps.indices.contains($0) })
        return register(.apply(operation, inputs))
    }

    public func finish(result: Int, type: LogicalType) -> VectorProgram {
        precondition(steps.indices.contains(result))
        return VectorProgram(steps: steps, result: result, resultType: type)
    }

    private mutating func register(_ step: VectorProgram.Step) -> Int {
        if let known = registers[step] { return known }
        steps.append(step)
        registers[step] = steps.count - 1
        return steps.count - 1
    }
}
