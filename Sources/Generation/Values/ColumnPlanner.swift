import DataPath
import Diagnostics
import PlatformModel

/// How one column is filled.
struct ColumnRecipe {
    var column: Int
    var provider: any ValueProvider
    /// Independent reasons for a null: the field's own share and those of the records around it.
    var nulls: [(salt: UInt64, share: Double)]
    /// Reads other columns of its row, so it comes after them.
    var isDependent = false
}

/// Chooses a provider for every column: sample data, the field's values, its generator, its name, its type.
struct ColumnPlanner {
    /// Share of nulls where nothing else is said.
    static let nullShare = 0.03

    let domain: DomainDefinition
    let seed: UInt64
    let entityCount: Int
    let productPicker: AliasTable
    let prices: [Double]

    init(domain: DomainDefinition, seed: UInt64) {
        self.domain = domain
        self.seed = seed
        let entities = domain.sampleData[domain.primaryKey] ?? []
        entityCount = entities.isEmpty ? domain.synthetic.entityPoolSize : entities.count
        let products = domain.sampleData["product_id"] ?? []
        let productCount = products.isEmpty ? EventGenerator.productCount : products.count
        productPicker = AliasTable(zipf: productCount, exponent: 1)
        prices = ProductPrice.prices(count: productCount, seed: splitSeed(seed, 21))
    }

    /// One field that is a column.
    struct Leaf {
        var path: String
        var field: Field
        var nullSources: [(salt: UInt64, share: Double)]
    }

    func recipes(for type: EventType, into diagnostics: inout Diagnostics) -> [ColumnRecipe] {
        var leaves: [String: Leaf] = [:]
        collect(type.fields, prefix: "", nullSources: [], into: &leaves)
        var recipes: [ColumnRecipe] = []
        for (index, column) in type.columns.enumerated() {
            let salt = nameSeed(column.name) ^ splitSeed(seed, 31)
            if column.name == "event_id" {
                recipes.append(ColumnRecipe(column: index, provider: UUIDText(scope: .event, salt: salt), nulls: []))
            } else if column.name == "timestamp" {
                let time = RelatedTime(kind: .eventTime, salt: salt, isDate: false)
                recipes.append(ColumnRecipe(column: index, provider: time, nulls: []))
            } else if let leaf = leaves[column.name] ?? keyLeaf(column, type) {
                var maker = ProviderMaker(planner: self, type: type, leaves: leaves, leaf: leaf, salt: salt)
                guard let provider = maker.make(into: &diagnostics) else { continue }
                var nulls = leaf.nullSources
                if let share = maker.nullShare, share > 0 { nulls.append((nameSeed(column.name + "?"), share)) }
                recipes.append(
                    ColumnRecipe(column: index, provider: provider, nulls: nulls, isDependent: provider is TotalAmount))
            } else {
                diagnostics.error(
                    .unsuitableGenerator, "column '\(column.name)' of '\(type.name)' belongs to no field",
                    at: type.location)
            }
        }
        return recipes.filter { !$0.isDependent } + recipes.filter(\.isDependent)
    }

    private func collect(
        _ fields: [Field], prefix: String, nullSources: [(salt: UInt64, share: Double)],
        into leaves: inout [String: Leaf]
    ) {
        for field in fields {
            let path = prefix + field.storedName
            if case .record(let children) = field.type {
                // A record that is null makes all its leaves null, whatever they are themselves.
                let own = field.isNullable ? [(salt: nameSeed(path + "?"), share: Self.nullShare)] : []
                collect(children, prefix: path + ".", nullSources: nullSources + own, into: &leaves)
            } else {
                leaves[path] = Leaf(path: path, field: field, nullSources: nullSources)
            }
        }
    }

    /// The entity key, which stands in the columns without being one of the fields.
    private func keyLeaf(_ column: ColumnSpec, _ type: EventType) -> Leaf? {
        guard column.name == type.primaryKey else { return nil }
        let fieldType: FieldType =
            switch column.type {
            case .int: .int
            case .long: .long
            case .uuid: .uuid
            default: .string
            }
        return Leaf(
            path: column.name, field: Field(name: column.name, location: type.location, type: fieldType),
            nullSources: [])
    }
}
