#include "lang/sprig/keys.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace tiphys::lang::sprig {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

struct FreeKeyContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

using Bio = std::unique_ptr<BIO, FreeBio>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeKeyContext>;

std::unexpected<Error> refuse(std::string message) {
  ERR_clear_error();
  return fail(ErrorCode::invalid, std::move(message));
}

Result<PrivateKey> made(EVP_PKEY* key) {
  if (key == nullptr) {
    return refuse("failed to generate private key");
  }
  return PrivateKey(key);
}

Bio reader(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Result<std::string> written(const Bio& bio, bool good) {
  char* data = nullptr;
  const long size = good ? BIO_get_mem_data(bio.get(), &data) : 0;
  if (size <= 0) {
    return refuse("the key cannot be written");
  }
  return std::string(data, static_cast<std::size_t>(size));
}

/// The name of the first block of PEM data: "RSA PRIVATE KEY".
std::optional<std::string> pem_name(std::string_view pem) {
  const Bio bio = reader(pem);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  std::string out(name);
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  return out;
}

/// Keys behind a password are not read.
int no_password(char*, int, int, void*) { return -1; }

}  // namespace

Result<PrivateKey> make_rsa_key(unsigned bits) { return made(EVP_RSA_gen(bits)); }

Result<PrivateKey> make_ec_key() { return made(EVP_EC_gen("P-256")); }

Result<PrivateKey> make_ed25519_key() {
  return made(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

Result<PrivateKey> make_dsa_key() {
  std::size_t bits = 2048;
  std::size_t subgroup_bits = 256;
  const OSSL_PARAM wanted[] = {
      OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_PBITS, &bits),
      OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_QBITS, &subgroup_bits),
      OSSL_PARAM_construct_end(),
  };
  const KeyContext first(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr));
  EVP_PKEY* parameters = nullptr;
  const bool prepared = first != nullptr && EVP_PKEY_paramgen_init(first.get()) == 1 &&
                        EVP_PKEY_CTX_set_params(first.get(), wanted) == 1 &&
                        EVP_PKEY_generate(first.get(), &parameters) == 1;
  const PrivateKey owner(parameters);
  if (!prepared) {
    return refuse("failed to generate dsa params");
  }
  const KeyContext second(EVP_PKEY_CTX_new_from_pkey(nullptr, owner.get(), nullptr));
  EVP_PKEY* key = nullptr;
  const bool generated = second != nullptr && EVP_PKEY_keygen_init(second.get()) == 1 &&
                         EVP_PKEY_generate(second.get(), &key) == 1;
  return made(generated ? key : nullptr);
}

Result<std::string> key_pem(const EVP_PKEY& key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  const bool modern = EVP_PKEY_is_a(&key, "RSA") == 0 && EVP_PKEY_is_a(&key, "EC") == 0 &&
                      EVP_PKEY_is_a(&key, "DSA") == 0;
  const int done =
      modern ? PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr)
             : PEM_write_bio_PrivateKey_traditional(bio.get(), &key, nullptr, nullptr, 0, nullptr,
                                                    nullptr);
  return written(bio, done == 1);
}

Result<PrivateKey> parse_key(std::string_view pem) {
  constexpr std::string_view kSuffix = " PRIVATE KEY";
  const auto name = pem_name(pem);
  if (!name) {
    return refuse("no PEM data in input");
  }
  std::string_view kind = *name;
  const bool modern = kind == "PRIVATE KEY";
  if (!modern && !kind.ends_with(kSuffix)) {
    return refuse(fmt::format("no private key data in PEM block of type {}", kind));
  }
  kind.remove_suffix(modern ? 0 : kSuffix.size());
  if (!modern && kind != "RSA" && kind != "EC" && kind != "DSA") {
    return refuse(fmt::format("invalid private key type {}", kind));
  }
  const Bio bio = reader(pem);
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key == nullptr) {
    return refuse(
        modern ? "decoding PEM as PKCS#8: the data is malformed"
               : fmt::format("parsing {} private key from PEM: the data is malformed", kind));
  }
  return key;
}

Result<X509Certificate> parse_certificate(std::string_view pem) {
  if (!pem_name(pem)) {
    return refuse("unable to decode certificate");
  }
  const Bio bio = reader(pem);
  X509Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
  if (certificate == nullptr) {
    return refuse("error parsing certificate: decodedCert.Bytes: x509: malformed certificate");
  }
  return certificate;
}

}  // namespace tiphys::lang::sprig
