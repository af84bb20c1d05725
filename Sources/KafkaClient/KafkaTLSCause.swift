internal import CRdKafka
internal import Diagnostics

/// What a TLS connection failed on, as far as a person can do something about it.
enum KafkaTLSCause: Hashable, Sendable {
    /// The broker's certificate is signed by nobody whom we trust.
    case untrusted
    /// The broker's certificate is for another host.
    case wrongHost
    /// The broker's certificate has expired or is not valid yet.
    case dates
    /// The broker's certificate is not accepted for another reason.
    case certificate
    /// The broker wants a certificate of ours.
    case clientCertificateMissing
    /// The broker does not accept our certificate.
    case clientCertificateRefused
    /// The broker refuses the handshake and does not say why: up to TLS 1.2 also when it misses our certificate.
    case handshakeRefused
    /// What answers speaks no TLS.
    case noTLS

    /// Reads it from OpenSSL's words, which name the alert that the broker sent; nil when they name none of these.
    init?(alert text: String) {
        func has(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        if has("alert certificate required") {
            self = .clientCertificateMissing
        } else if has(
            "alert unknown ca", "alert bad certificate", "alert certificate expired", "alert certificate unknown",
            "alert certificate revoked", "alert unsupported certificate")
        {
            self = .clientCertificateRefused
        } else if has("alert handshake failure") {
            self = .handshakeRefused
        } else if has("wrong version number", "SSL routines::packet length too long") {
            self = .noTLS
        } else {
            return nil
        }
    }

    var facts: KafkaFault.Facts {
        switch self {
        case .untrusted:
            KafkaFault.Facts(
                .kafkaUntrusted, passing: true,
                "ca_file must hold the certificate of who signed the broker's; without it the system's are used")
        case .wrongHost:
            KafkaFault.Facts(
                .kafkaWrongHost, passing: true,
                "write in bootstrap_servers the name that the certificate holds, and let the brokers advertise it")
        case .dates:
            KafkaFault.Facts(
                .kafkaCertificateDates, passing: true, "the broker needs a new certificate; or the clock here is wrong")
        case .certificate: KafkaFault.Facts(.kafkaTLS, passing: true, "the broker needs another certificate")
        case .clientCertificateMissing:
            KafkaFault.Facts(.kafkaClientCertificate, passing: true, "set cert_file and key_file")
        case .clientCertificateRefused:
            KafkaFault.Facts(
                .kafkaClientCertificate, passing: true,
                "cert_file must hold a certificate that the broker trusts and that has not expired")
        case .handshakeRefused:
            KafkaFault.Facts(
                .kafkaTLS, passing: true,
                "the broker may want a certificate (cert_file and key_file), or has no version of TLS or cipher of ours"
            )
        case .noTLS:
            KafkaFault.Facts(
                .kafkaTLS, passing: true,
                "what answers speaks no TLS: take the port of the broker's TLS listener, or security_protocol plaintext"
            )
        }
    }
}

/// Why OpenSSL did not accept a certificate of a broker.
struct KafkaCertificateFault: Hashable, Sendable {
    /// A number of OpenSSL's `x509_vfy.h`, which are part of its binary interface.
    var error: Int32

    var cause: KafkaTLSCause {
        switch error {
        case 2, 18, 19, 20, 21, 22, 24, 27: .untrusted
        case 62, 64: .wrongHost
        case 9, 10, 13, 14: .dates
        default: .certificate
        }
    }

    var text: String {
        switch error {
        case 9: "it is not valid yet"
        case 10: "it has expired"
        case 18: "it is signed by itself, and is not trusted"
        case 19: "it is signed by an authority that is not trusted"
        case 2, 20, 21, 22, 24, 27: "who signed it is not trusted"
        case 23: "it was revoked"
        case 26: "it is not for a server"
        case 62: "it is for another host name"
        case 64: "it is for another IP address"
        case 66, 67, 68: "its key or signature is too weak"
        default: "OpenSSL's reason is number \(error)"
        }
    }
}

extension KafkaFault {
    /// The same with the reason for which a certificate was not accepted, where it was that.
    func explained(by certificate: KafkaCertificateFault?) -> KafkaFault {
        guard let certificate, text.contains("certificate verify failed") else { return self }
        var fault = self
        // What librdkafka says behind it guesses at one of the reasons.
        let host = text.firstRange(of: ": ").map { text[..<$0.upperBound] } ?? ""
        fault.text = host + "the broker's certificate is not accepted: \(certificate.text)"
        fault.cause = certificate.cause
        return fault
    }
}
