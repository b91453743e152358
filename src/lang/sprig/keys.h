#pragma once
/// Private keys and X.509 certificates through OpenSSL. Private to the module.

#include "base/error.h"
#include "lang/sprig/objects.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::lang::sprig {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

using PrivateKey = std::unique_ptr<EVP_PKEY, FreeKey>;
using X509Certificate = std::unique_ptr<X509, FreeCertificate>;

Result<PrivateKey> make_rsa_key(unsigned bits);
/// P-256.
Result<PrivateKey> make_ec_key();
Result<PrivateKey> make_ed25519_key();
/// 2048 bits, subgroup of 256.
Result<PrivateKey> make_dsa_key();

/// In the form upstream writes: "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY" and
/// "PRIVATE KEY" (PKCS 8) for others.
Result<std::string> key_pem(const EVP_PKEY& key);
/// Errors: invalid, in upstream's words where they do not depend on Go's parser.
Result<PrivateKey> parse_key(std::string_view pem);
/// The first certificate in the text, "unable to decode certificate" when there is none.
Result<X509Certificate> parse_certificate(std::string_view pem);

struct CertificateRequest {
  std::string_view common_name;
  std::vector<std::string> addresses;
  std::vector<std::string> names;
  /// Unix seconds.
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  /// 16 bytes.
  std::string serial;
  enum class Use { server, authority } use = Use::server;
};

/// A certificate for the key, signed with `signer`; self-signed when `issuer` is null.
Result<Certificate> issue(const CertificateRequest& request, EVP_PKEY& key, const X509* issuer,
                          EVP_PKEY& signer);

}  // namespace tiphys::lang::sprig
