/// Making of certificates.
#include "lang/sprig/keys.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <array>

namespace tiphys::lang::sprig {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_free(number); }
};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// The bytes of an address; IPv4 in IPv6 is IPv4. Nothing for other text.
std::optional<std::string> address_bytes(const std::string& text) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    return std::string(bytes.data(), 4);
  }
  if (text.find('\0') != std::string::npos ||
      inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) {
    return std::nullopt;
  }
  const std::string all(bytes.data(), bytes.size());
  const bool mapped = all.starts_with(std::string(10, '\0') + "\xFF\xFF");
  return mapped ? all.substr(12) : all;
}

bool add_name(GENERAL_NAMES& names, int kind, ASN1_STRING* value, std::string_view bytes) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  const bool good = name != nullptr && value != nullptr &&
                    ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) == 1;
  if (!good) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name, kind, value);
  return sk_GENERAL_NAME_push(&names, name) > 0;
}

Result<> add_alternative_names(X509& certificate, const CertificateRequest& request) {
  if (request.addresses.empty() && request.names.empty()) {
    return {};
  }
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(GENERAL_NAMES_new());
  bool good = names != nullptr;
  for (const std::string& name : request.names) {
    good = good && add_name(*names, GEN_DNS, ASN1_IA5STRING_new(), name);
  }
  for (const std::string& address : request.addresses) {
    const auto bytes = address_bytes(address);
    if (!bytes) {
      return fail(ErrorCode::invalid, fmt::format("error parsing ip: {}", address));
    }
    good = good && add_name(*names, GEN_IPADD, ASN1_OCTET_STRING_new(), *bytes);
  }
  good = good && X509_add1_ext_i2d(&certificate, NID_subject_alt_name, names.get(), 0,
                                   X509V3_ADD_DEFAULT) == 1;
  return good ? Result<>() : fail(ErrorCode::internal, "the names cannot be added");
}

bool add_extension(X509& certificate, X509V3_CTX& context, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  const bool good = extension != nullptr && X509_add_ext(&certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return good;
}

bool add_extensions(X509& certificate, const X509* issuer, CertificateRequest::Use use) {
  X509V3_CTX context;
  const bool authority = use == CertificateRequest::Use::authority;
  X509V3_set_ctx(&context, const_cast<X509*>(issuer == nullptr ? &certificate : issuer),
                 &certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const char* usage = authority ? "critical,digitalSignature,keyEncipherment,keyCertSign"
                                : "critical,digitalSignature,keyEncipherment";
  const bool issuer_has_id =
      issuer != nullptr && X509_get0_subject_key_id(const_cast<X509*>(issuer)) != nullptr;
  return add_extension(certificate, context, NID_key_usage, usage) &&
         add_extension(certificate, context, NID_ext_key_usage, "serverAuth,clientAuth") &&
         add_extension(certificate, context, NID_basic_constraints,
                       authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
         (!authority || add_extension(certificate, context, NID_subject_key_identifier, "hash")) &&
         (!issuer_has_id ||
          add_extension(certificate, context, NID_authority_key_identifier, "keyid"));
}

bool set_serial(X509& certificate, std::string_view bytes) {
  const std::unique_ptr<BIGNUM, FreeNumber> number(
      BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_identity(X509& certificate, const CertificateRequest& request, EVP_PKEY& key,
                  const X509* issuer) {
  constexpr long kVersion3 = 2;
  X509_NAME* subject = X509_get_subject_name(&certificate);
  const bool named = request.common_name.empty() ||
                     X509_NAME_add_entry_by_NID(
                         subject, NID_commonName, MBSTRING_UTF8, bytes_of(request.common_name),
                         static_cast<int>(request.common_name.size()), -1, 0) == 1;
  return named && X509_set_version(&certificate, kVersion3) == 1 &&
         set_serial(certificate, request.serial) &&
         ASN1_TIME_set(X509_getm_notBefore(&certificate), request.not_before) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate), request.not_after) != nullptr &&
         X509_set_issuer_name(&certificate,
                              issuer == nullptr ? subject : X509_get_subject_name(issuer)) == 1 &&
         X509_set_pubkey(&certificate, &key) == 1;
}

Result<std::string> certificate_pem(X509& certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  char* data = nullptr;
  const bool good = bio != nullptr && PEM_write_bio_X509(bio, &certificate) == 1;
  const long size = good ? BIO_get_mem_data(bio, &data) : 0;
  std::string out(data == nullptr ? "" : data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return good ? Result<std::string>(std::move(out))
              : fail(ErrorCode::internal, "the certificate cannot be written");
}

}  // namespace

Result<Certificate> issue(const CertificateRequest& request, EVP_PKEY& key, const X509* issuer,
                          EVP_PKEY& signer) {
  if (EVP_PKEY_is_a(&signer, "DSA") == 1 || EVP_PKEY_is_a(&key, "DSA") == 1) {
    return fail(ErrorCode::invalid,
                "error creating certificate: x509: only RSA, ECDSA and Ed25519 keys supported");
  }
  const X509Certificate certificate(X509_new());
  if (certificate == nullptr || !set_identity(*certificate, request, key, issuer) ||
      !add_extensions(*certificate, issuer, request.use)) {
    ERR_clear_error();
    return fail(ErrorCode::invalid, "error creating certificate: a field cannot be set");
  }
  TRY_VOID(add_alternative_names(*certificate, request));
  const EVP_MD* digest = EVP_PKEY_is_a(&signer, "ED25519") == 1 ? nullptr : EVP_sha256();
  if (X509_sign(certificate.get(), &signer, digest) <= 0) {
    ERR_clear_error();
    return fail(ErrorCode::invalid, "error creating certificate: it cannot be signed");
  }
  Certificate out;
  TRY(out.cert, certificate_pem(*certificate));
  TRY(out.key, key_pem(key));
  return out;
}

}  // namespace tiphys::lang::sprig
