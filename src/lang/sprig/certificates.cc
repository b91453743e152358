/// Functions that make private keys and certificates.
#include "lang/expr/parts.h"
#include "lang/gotext/gotext.h"
#include "lang/sprig/functions.h"
#include "lang/sprig/keys.h"
#include "lang/sprig/objects.h"

#include <fmt/format.h>

namespace tiphys::lang::sprig {
namespace {

/// Keys of this size take a good part of a second, so that a run can only afford a few.
constexpr std::size_t kKeySteps = 2'000'000;
constexpr unsigned kCertificateBits = 2048;
constexpr unsigned kPrivateKeyBits = 4096;

Result<PrivateKey> make_key(std::string_view kind) {
  if (kind == "dsa") {
    return make_dsa_key();
  }
  if (kind == "ecdsa") {
    return make_ec_key();
  }
  return kind == "ed25519" ? make_ed25519_key() : make_rsa_key(kPrivateKeyBits);
}

Answer gen_private_key(const Call& call) {
  const std::string_view kind = call.text(0);
  const bool known =
      kind.empty() || kind == "rsa" || kind == "dsa" || kind == "ecdsa" || kind == "ed25519";
  if (!known) {
    return text_answer(call, fmt::format("Unknown type {}", kind));
  }
  TRY_VOID(call.run.step(kKeySteps));
  TRY(const PrivateKey key, make_key(kind));
  TRY(std::string pem, key_pem(*key));
  return text_answer(call, std::move(pem));
}

/// The key in the text, or a new one when there is none.
Result<PrivateKey> key_for(const Call& call, std::optional<std::size_t> argument) {
  TRY_VOID(call.run.step(kKeySteps));
  if (!argument) {
    return make_rsa_key(kCertificateBits);
  }
  auto key = parse_key(call.text(*argument));
  return key ? std::move(key) : failure("parsing private key: " + key.error().message);
}

Result<std::vector<std::string>> texts_of(const ExprValue& list, fmt::string_view complaint) {
  std::vector<std::string> out;
  for (const ExprValue& item : list.as_list()) {
    if (item.kind() != ExprKind::string) {
      return failure(fmt::format(fmt::runtime(complaint), item.text()));
    }
    out.emplace_back(item.as_string());
  }
  return out;
}

Result<CertificateRequest> request_for(const Call& call, std::size_t days_argument) {
  constexpr std::uint64_t kNanosInDay = 86'400'000'000'000;
  constexpr std::size_t kSerialBytes = 16;
  CertificateRequest out{.common_name = call.text(0)};
  if (days_argument > 1) {
    TRY(out.addresses, texts_of(call[1], "error parsing ip: {} is not a string"));
    TRY(out.names, texts_of(call[2], "error processing alternate dns name: {} is not a string"));
  }
  TRY(out.serial, random_bytes(call, kSerialBytes));
  TRY(const Instant now, present(call));
  const auto days = static_cast<std::uint64_t>(call.integer(days_argument));
  out.not_before = now.unix_seconds;
  out.not_after = now.plus(Nanos{static_cast<std::int64_t>(days * kNanosInDay)}).unix_seconds;
  return out;
}

Answer certificate_answer(const Call& call, Result<Certificate> certificate) {
  if (!certificate) {
    return std::unexpected(std::move(certificate).error());
  }
  TRY_VOID(call.run.charge_text(certificate->cert.size() + certificate->key.size()));
  return certificate_value(*std::move(certificate));
}

Answer authority(const Call& call, std::optional<std::size_t> key_argument) {
  TRY(const PrivateKey key, key_for(call, key_argument));
  TRY(CertificateRequest request, request_for(call, 1));
  request.use = CertificateRequest::Use::authority;
  return certificate_answer(call, issue(request, *key, nullptr, *key));
}

Answer self_signed(const Call& call, std::optional<std::size_t> key_argument) {
  TRY(const PrivateKey key, key_for(call, key_argument));
  TRY(const CertificateRequest request, request_for(call, 3));
  return certificate_answer(call, issue(request, *key, nullptr, *key));
}

Answer signed_by(const Call& call, std::optional<std::size_t> key_argument) {
  TRY(const PrivateKey key, key_for(call, key_argument));
  const Certificate& authority = certificate_of(call[4]);
  TRY(const X509Certificate issuer, parse_certificate(authority.cert));
  const auto signer = parse_key(authority.key);
  if (!signer) {
    return failure("error parsing private key: " + signer.error().message);
  }
  TRY(const CertificateRequest request, request_for(call, 3));
  return certificate_answer(call, issue(request, *key, issuer.get(), **signer));
}

/// A certificate and its key, both PEM in base64, checked.
Answer build_custom(const Call& call) {
  const auto cert = base64_decode(call.text(0));
  if (!cert) {
    return failure("unable to decode base64 certificate");
  }
  const auto key = base64_decode(call.text(1));
  if (!key) {
    return failure("unable to decode base64 private key");
  }
  TRY_VOID(parse_certificate(*cert));
  if (const auto parsed = parse_key(*key); !parsed) {
    return failure("error parsing private key: " + parsed.error().message);
  }
  return certificate_answer(call, Certificate{*cert, *key});
}

constexpr Function kFunctions[] = {
    {"genPrivateKey", "func(string) string", gen_private_key},
    {"genCA", "func(string, int) (sprig.certificate, error)",
     [](const Call& call) { return authority(call, std::nullopt); }},
    {"genCAWithKey", "func(string, int, string) (sprig.certificate, error)",
     [](const Call& call) { return authority(call, 2); }},
    {"genSelfSignedCert",
     "func(string, []interface {}, []interface {}, int) (sprig.certificate, error)",
     [](const Call& call) { return self_signed(call, std::nullopt); }},
    {"genSelfSignedCertWithKey",
     "func(string, []interface {}, []interface {}, int, string) (sprig.certificate, error)",
     [](const Call& call) { return self_signed(call, 4); }},
    {"genSignedCert",
     "func(string, []interface {}, []interface {}, int, sprig.certificate) (sprig.certificate, "
     "error)",
     [](const Call& call) { return signed_by(call, std::nullopt); }},
    {"genSignedCertWithKey",
     "func(string, []interface {}, []interface {}, int, sprig.certificate, string) "
     "(sprig.certificate, error)",
     [](const Call& call) { return signed_by(call, 5); }},
    {"buildCustomCert", "func(string, string) (sprig.certificate, error)", build_custom},
};

}  // namespace

std::span<const Function> certificate_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig
