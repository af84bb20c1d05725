// Codes of plugins. Append at the end; never renumber. List each in `plugins` too.

extension DiagnosticCode {
    public static let secretFileMissing = DiagnosticCode("SP4001", "A secret file or folder is not there.")
    public static let secretFileUnreadable = DiagnosticCode("SP4002", "A secret file cannot be read.")
    public static let secretFileWorldReadable = DiagnosticCode("SP4003", "A secret file may be read by everybody.")
    public static let secretFileInvalid = DiagnosticCode("SP4004", "A secret file has a format that is not understood.")
    public static let invalidSecretKey = DiagnosticCode("SP4005", "A secret's key cannot name a secret of the backend.")
    public static let unknownPlugin = DiagnosticCode("SP4020", "A 'type' names a plugin that is not built in.")
    public static let pluginConflict = DiagnosticCode("SP4021", "Two plugins of one kind have one name.")
    public static let uncheckedPluginBlock = DiagnosticCode(
        "SP4022", "The options of a plugin that is not built in were not checked.")
    public static let brokerRefusesTopic = DiagnosticCode(
        "SP4023", "The broker in use cannot have a topic as it is asked for.")
    public static let pluginMissing = DiagnosticCode("SP4040", "A plugin that the configuration names is not there.")
    public static let registryUnreachable = DiagnosticCode(
        "SP4300", "A schema registry does not answer, or fails at every address.")
    public static let registryCredentials = DiagnosticCode(
        "SP4301", "A schema registry refuses the credentials, or what they may do.")
    public static let registryAnswer = DiagnosticCode(
        "SP4302", "A schema registry refuses a request, or answers what is not understood.")
    public static let registryOptions = DiagnosticCode(
        "SP4303", "The options of a schema registry contradict each other or are not usable.")
    public static let registryFiles = DiagnosticCode(
        "SP4310", "The files of the embedded schema registry cannot be used, or are damaged.")
    public static let serverCannotListen = DiagnosticCode(
        "SP4320", "An HTTP server cannot listen at its address.")
    public static let vaultUnreachable = DiagnosticCode("SP4200", "The vault cannot be reached.")
    public static let vaultTimeout = DiagnosticCode("SP4201", "The vault does not answer in time.")
    public static let vaultTLS = DiagnosticCode("SP4202", "There is no secure connection to the vault.")
    public static let vaultSealed = DiagnosticCode("SP4203", "The vault is sealed or not initialised.")
    public static let vaultUnavailable = DiagnosticCode(
        "SP4204", "The vault cannot answer now, or this node of it does not.")
    public static let vaultMalformedAnswer = DiagnosticCode(
        "SP4205", "What answers is no vault, or the answer is not whole.")
    public static let vaultLoginRefused = DiagnosticCode("SP4206", "The vault refuses a login.")
    public static let vaultTokenInvalid = DiagnosticCode(
        "SP4207", "The vault does not accept a token: it is wrong, revoked or expired.")
    public static let vaultForbidden = DiagnosticCode("SP4208", "The vault does not allow to read a secret.")
    public static let vaultPathMissing = DiagnosticCode("SP4209", "The vault has nothing at the path of a secret.")
    public static let vaultFieldMissing = DiagnosticCode(
        "SP4210", "A path of the vault does not have the field of a secret.")
    public static let vaultFieldNotText = DiagnosticCode("SP4211", "A field of the vault is not a value.")
    public static let vaultMountMissing = DiagnosticCode(
        "SP4212", "The vault does not have the mount or the namespace.")
    public static let vaultOptions = DiagnosticCode("SP4213", "The vault's options do not fit together.")
    public static let secretNeedsSecret = DiagnosticCode(
        "SP4214", "An option of a secret backend is itself to come from a secret backend.")
    public static let postgresUnavailable = DiagnosticCode(
        "SP4230", "PostgreSQL cannot be reached, or the connection to it was lost.")
    public static let postgresLogin = DiagnosticCode("SP4231", "PostgreSQL refuses the user, password or certificate.")
    public static let postgresTLS = DiagnosticCode("SP4232", "The connection to PostgreSQL cannot be secured as asked.")
    public static let postgresDatabase = DiagnosticCode("SP4233", "The PostgreSQL database cannot be used.")
    public static let postgresPermission = DiagnosticCode("SP4234", "The PostgreSQL user lacks a right.")
    public static let postgresResources = DiagnosticCode(
        "SP4235", "PostgreSQL is out of disk, memory or another resource.")
    public static let postgresValue = DiagnosticCode("SP4236", "A value cannot be stored in PostgreSQL.")
    public static let postgresFailed = DiagnosticCode("SP4237", "PostgreSQL failed a statement.")
    public static let postgresOptions = DiagnosticCode(
        "SP4238", "Options of the PostgreSQL sink contradict each other.")
    public static let kafkaUnreachable = DiagnosticCode("SP4260", "No Kafka broker can be reached.")
    public static let kafkaTLS = DiagnosticCode("SP4261", "A TLS connection to a Kafka broker cannot be made.")
    public static let kafkaAuthentication = DiagnosticCode("SP4262", "A Kafka broker refuses the credentials.")
    public static let kafkaAuthorization = DiagnosticCode(
        "SP4263", "The user may not do on the Kafka cluster what is needed.")
    public static let kafkaProperty = DiagnosticCode(
        "SP4264", "A librdkafka property is not known, or its value is not accepted.")
    public static let kafkaOwnedProperty = DiagnosticCode(
        "SP4265", "A librdkafka property is set by streamplat itself.")
    public static let kafkaClientRefused = DiagnosticCode("SP4266", "librdkafka refuses what it is to be set up with.")
    public static let kafkaTimedOut = DiagnosticCode("SP4267", "A Kafka broker did not answer in time.")
    public static let kafkaNotDelivered = DiagnosticCode(
        "SP4268", "A record was not acknowledged by Kafka within the delivery timeout.")
    public static let kafkaRecordTooLarge = DiagnosticCode("SP4269", "A record is larger than Kafka is set to take.")
    public static let kafkaBusy = DiagnosticCode(
        "SP4270", "The Kafka cluster cannot do it now, such as while a leader is elected.")
    public static let kafkaBadData = DiagnosticCode("SP4271", "What a Kafka broker sent cannot be read.")
    public static let kafkaProducerLost = DiagnosticCode(
        "SP4272", "Kafka no longer accepts this producer: its sequence of records is broken.")
    public static let kafkaUnsupported = DiagnosticCode("SP4273", "The Kafka broker lacks a feature that is needed.")
    public static let kafkaClosed = DiagnosticCode("SP4274", "A Kafka connection was used after it had been closed.")
    public static let kafkaRefused = DiagnosticCode(
        "SP4275", "A Kafka broker refused a request; its own code is in the message.")
    public static let kafkaSecurity = DiagnosticCode(
        "SP4276", "The security options of the Kafka broker do not fit together.")
    public static let kafkaUntrusted = DiagnosticCode(
        "SP4277", "A Kafka broker's certificate is not signed by one that is trusted.")
    public static let kafkaWrongHost = DiagnosticCode(
        "SP4278", "A Kafka broker's certificate is for another host.")
    public static let kafkaCertificateDates = DiagnosticCode(
        "SP4279", "A Kafka broker's certificate has expired or is not valid yet.")
    public static let kafkaClientCertificate = DiagnosticCode(
        "SP4280", "A Kafka broker wants a certificate of ours, or does not accept the one that it got.")
    public static let kafkaTLSFiles = DiagnosticCode(
        "SP4281", "A certificate or key of the Kafka broker's options cannot be read.")
    public static let topicReplication = DiagnosticCode(
        "SP4290", "A topic has another number of copies than the domain wants.")
    public static let topicFormat = DiagnosticCode(
        "SP4291", "A topic holds messages in another format than the domain reads.")
    public static let clickHouseOption = DiagnosticCode(
        "SP4340", "An option of the ClickHouse sink cannot be as it is written.")
    public static let clickHouseUnreachable = DiagnosticCode("SP4341", "No ClickHouse server of a sink answers.")
    public static let clickHouseAccess = DiagnosticCode(
        "SP4342", "A ClickHouse server refuses the user, the password or what the user may do.")
    public static let clickHouseAnswer = DiagnosticCode(
        "SP4343", "What answers at a ClickHouse sink's URL is not a ClickHouse server, or its answer is damaged.")
    public static let clickHouseBusy = DiagnosticCode(
        "SP4344", "A ClickHouse server cannot do what is asked right now; it is asked again.")
    public static let clickHouseRefused = DiagnosticCode("SP4345", "A ClickHouse server refuses a statement or rows.")
    public static let clickHouseRows = DiagnosticCode(
        "SP4346", "Rows cannot be written to ClickHouse: they do not fit their table.")

    public static let fileBusy = DiagnosticCode("SP4360", "Another program writes a file of the sink.")

    public static let kafkaSinkOption = DiagnosticCode(
        "SP4370", "An option of the Kafka sink cannot be as it is written.")
    public static let kafkaSinkControl = DiagnosticCode(
        "SP4371", "The topic in which the Kafka sink keeps its own facts holds something else.")
    public static let kafkaSinkState = DiagnosticCode(
        "SP4372", "What a checkpoint keeps of a Kafka sink cannot be read.")

    static let plugins: [DiagnosticCode] = [
        secretFileMissing, secretFileUnreadable, secretFileWorldReadable, secretFileInvalid, invalidSecretKey,
        unknownPlugin, pluginConflict, uncheckedPluginBlock, brokerRefusesTopic, pluginMissing, vaultUnreachable,
        vaultTimeout, vaultTLS, vaultSealed, vaultUnavailable, vaultMalformedAnswer, vaultLoginRefused,
        vaultTokenInvalid, vaultForbidden, vaultPathMissing, vaultFieldMissing, vaultFieldNotText, vaultMountMissing,
        vaultOptions, secretNeedsSecret, postgresUnavailable, postgresLogin, postgresTLS, postgresDatabase,
        postgresPermission, postgresResources, postgresValue, postgresFailed, postgresOptions, kafkaUnreachable,
        kafkaTLS, kafkaAuthentication, kafkaAuthorization, kafkaProperty, kafkaOwnedProperty, kafkaClientRefused,
        kafkaTimedOut, kafkaNotDelivered, kafkaRecordTooLarge, kafkaBusy, kafkaBadData, kafkaProducerLost,
        kafkaUnsupported, kafkaClosed, kafkaRefused, kafkaSecurity, kafkaUntrusted, kafkaWrongHost,
        kafkaCertificateDates, kafkaClientCertificate, kafkaTLSFiles, topicReplication, topicFormat, clickHouseOption,
        clickHouseUnreachable,
        clickHouseAccess, clickHouseAnswer, clickHouseBusy, clickHouseRefused, clickHouseRows,
        registryUnreachable, registryCredentials, registryAnswer, registryOptions, registryFiles, serverCannotListen,
        fileBusy, kafkaSinkOption, kafkaSinkControl, kafkaSinkState,
    ]
}
