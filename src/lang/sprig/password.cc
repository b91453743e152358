#include "lang/sprig/password.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <utility>
#include <vector>

namespace tiphys::lang::sprig {
namespace {

constexpr std::string_view kScope = "com.lyndir.masterpassword";

/// Which kinds of characters stand where; one of the templates is taken by the first byte of the
/// seed.
std::vector<std::string_view> templates_of(std::string_view kind) {
  if (kind == "maximum") {
    return {"anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"};
  }
  if (kind == "long") {
    return {"CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv", "CvccCvcvCvcvno", "CvcvnoCvccCvcv", "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno", "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno",
            "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno", "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc", "CvcvCvccCvccno", "CvccnoCvcvCvcc", "CvccCvcvnoCvcc",
            "CvccCvcvCvccno"};
  }
  if (kind == "medium") {
    return {"CvcnoCvc", "CvcCvcno"};
  }
  if (kind == "short") {
    return {"Cvcn"};
  }
  if (kind == "basic") {
    return {"aaanaaan", "aannaaan", "aaannaaa"};
  }
  return kind == "pin" ? std::vector<std::string_view>{"nnnn"} : std::vector<std::string_view>();
}

std::string_view characters_of(char kind) {
  switch (kind) {
    case 'V':
      return "AEIOU";
    case 'C':
      return "BCDFGHJKLMNPQRSTVWXYZ";
    case 'v':
      return "aeiou";
    case 'c':
      return "bcdfghjklmnpqrstvwxyz";
    case 'a':
      return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
    case 'n':
      return "0123456789";
    case 'o':
      return "@&%?,=[]_:-+*$#!'^~;()/.";
    default:
      return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()";
  }
}

void append_big_endian(std::string& out, std::uint32_t number) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    out.push_back(static_cast<char>(number >> shift & 0xFFU));
  }
}

std::string with_length(std::string_view text) {
  std::string out(kScope);
  append_big_endian(out, static_cast<std::uint32_t>(text.size()));
  out += text;
  return out;
}

Result<std::array<unsigned char, 64>> master_key(std::string_view password, std::string_view user) {
  constexpr std::uint64_t kCost = 32'768;
  constexpr std::uint64_t kBlockSize = 8;
  constexpr std::uint64_t kParallel = 2;
  constexpr std::uint64_t kMemory = 64U << 20U;
  const std::string salt = with_length(user);
  std::array<unsigned char, 64> key{};
  if (EVP_PBE_scrypt(password.data(), password.size(),
                     reinterpret_cast<const unsigned char*>(salt.data()), salt.size(), kCost,
                     kBlockSize, kParallel, kMemory, key.data(), key.size()) != 1) {
    return fail(ErrorCode::internal, "the key cannot be derived");
  }
  return key;
}

}  // namespace

Result<std::string> derived_password(const PasswordRequest& request) {
  const auto templates = templates_of(request.kind);
  if (templates.empty()) {
    return fmt::format("cannot find password template {}", request.kind);
  }
  TRY(const auto key, master_key(request.password, request.user));
  std::string message = with_length(request.site);
  append_big_endian(message, request.counter);
  std::array<unsigned char, EVP_MAX_MD_SIZE> seed{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), seed.data(), &size);
  std::string out;
  for (const char kind : templates[seed[0] % templates.size()]) {
    const std::string_view characters = characters_of(kind);
    out.push_back(characters[seed[out.size() + 1] % characters.size()]);
  }
  return out;
}

}  // namespace tiphys::lang::sprig
