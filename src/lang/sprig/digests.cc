/// Digests, passwords, symmetric encryption.
#include "lang/gotext/gotext.h"
#include "lang/sprig/encoding.h"
#include "lang/sprig/functions.h"
#include "lang/sprig/password.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <crypt.h>

namespace tiphys::lang::sprig {
namespace {

/// What a slow function costs in steps, so that a run can only afford a few.
constexpr std::size_t kSlowSteps = 1'000'000;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Answer digest(const Call& call, const EVP_MD* kind) {
  const std::string_view text = call.text(0);
  TRY_VOID(call.run.step(1 + text.size() / 64));
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), out.data(), &size, kind, nullptr) != 1) {
    return fail(ErrorCode::internal, "the digest cannot be made");
  }
  return text_answer(call, hex_encode({reinterpret_cast<const char*>(out.data()), size}));
}

Answer adler32(const Call& call) {
  constexpr std::uint32_t kPrime = 65'521;
  TRY_VOID(call.run.step(1 + call.text(0).size() / 64));
  std::uint32_t low = 1;
  std::uint32_t high = 0;
  for (const char byte : call.text(0)) {
    low = (low + static_cast<unsigned char>(byte)) % kPrime;
    high = (high + low) % kPrime;
  }
  return text_answer(call, std::to_string(high << 16U | low));
}

Result<std::string> bcrypt_hash(const Call& call, std::string_view password) {
  constexpr std::size_t kLongest = 72;
  constexpr std::size_t kSaltBytes = 16;
  constexpr unsigned long kCost = 10;
  constexpr std::string_view kFailed = "failed to encrypt string with bcrypt: ";
  if (password.size() > kLongest) {
    return fmt::format("{}bcrypt: password length exceeds 72 bytes", kFailed);
  }
  // The C library would stop there and make a weaker hash.
  if (password.find('\0') != std::string_view::npos) {
    return fmt::format("{}the password holds a zero byte", kFailed);
  }
  TRY_VOID(call.run.step(kSlowSteps));
  TRY(const std::string salt, random_bytes(call, kSaltBytes));
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  auto state = std::make_unique<crypt_data>();
  const char* made = crypt_gensalt_rn("$2a$", kCost, salt.data(), static_cast<int>(salt.size()),
                                      setting.data(), static_cast<int>(setting.size()));
  const char* hash = made == nullptr ? nullptr
                                     : crypt_rn(std::string(password).c_str(), made, state.get(),
                                                sizeof(crypt_data));
  return hash == nullptr ? fmt::format("{}not supported", kFailed) : std::string(hash);
}

Answer bcrypt(const Call& call) {
  TRY(std::string hash, bcrypt_hash(call, call.text(0)));
  return text_answer(call, std::move(hash));
}

Answer htpasswd(const Call& call) {
  if (call.text(0).find(':') != std::string_view::npos) {
    return text_answer(call, fmt::format("invalid username: {}", call.text(0)));
  }
  TRY(const std::string hash, bcrypt_hash(call, call.text(1)));
  return text_answer(call, fmt::format("{}:{}", call.text(0), hash));
}

constexpr std::size_t kBlock = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

enum class Direction { decrypt = 0, encrypt = 1 };

/// AES-256 in CBC mode over whole blocks. The key is the password, cut or filled with zeros.
Result<std::string> run_aes(std::string_view password, std::string_view start,
                            std::string_view blocks, Direction direction) {
  constexpr std::size_t kKeySize = 32;
  std::string key(password.substr(0, kKeySize));
  key.resize(kKeySize, '\0');
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
  std::string out(blocks.size() + kBlock, '\0');
  int size = 0;
  int rest = 0;
  const bool done = context != nullptr &&
                    EVP_CipherInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, bytes_of(key),
                                      bytes_of(start), static_cast<int>(direction)) == 1 &&
                    EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 &&
                    EVP_CipherUpdate(context.get(), bytes_of(out), &size, bytes_of(blocks),
                                     static_cast<int>(blocks.size())) == 1 &&
                    EVP_CipherFinal_ex(context.get(), bytes_of(out) + size, &rest) == 1;
  if (!done) {
    return fail(ErrorCode::internal, "the cipher does not work");
  }
  out.resize(static_cast<std::size_t>(size + rest));
  return out;
}

Answer encrypt_aes(const Call& call) {
  std::string content(call.text(1));
  if (content.empty()) {
    return text_answer(call, "");
  }
  TRY_VOID(call.run.charge_text(content.size() + kBlock));
  const std::size_t padding = kBlock - content.size() % kBlock;
  content.append(padding, static_cast<char>(padding));
  TRY(const std::string start, random_bytes(call, kBlock));
  TRY(const std::string blocks, run_aes(call.text(0), start, content, Direction::encrypt));
  return text_answer(call, base64_encode(start + blocks));
}

Answer decrypt_aes(const Call& call) {
  const std::string_view encoded = call.text(1);
  if (encoded.empty()) {
    return text_answer(call, "");
  }
  TRY(const std::string bytes, base64_decode(encoded));
  if (bytes.size() < kBlock) {
    return go_panic(fmt::format("slice bounds out of range [:{}] with capacity {}", kBlock,
                                encoded.size() / 4 * 3));
  }
  const std::string_view blocks = std::string_view(bytes).substr(kBlock);
  if (blocks.size() % kBlock != 0) {
    return failure("crypto/cipher: input not full blocks");
  }
  if (blocks.empty()) {
    return go_panic("index out of range [-1]");
  }
  TRY(std::string content,
      run_aes(call.text(0), std::string_view(bytes).substr(0, kBlock), blocks, Direction::decrypt));
  // The padding is not checked: a wrong password gives broken text.
  const auto padding = static_cast<unsigned char>(content.back());
  if (padding > content.size()) {
    return go_panic(fmt::format("slice bounds out of range [:{}]",
                                static_cast<std::int64_t>(content.size()) - padding));
  }
  content.resize(content.size() - padding);
  return text_answer(call, std::move(content));
}

Answer derive_password(const Call& call) {
  TRY_VOID(call.run.step(kSlowSteps));
  TRY(std::string password,
      derived_password({.counter = static_cast<std::uint32_t>(call.integer(0)),
                        .kind = call.text(1),
                        .password = call.text(2),
                        .user = call.text(3),
                        .site = call.text(4)}));
  return text_answer(call, std::move(password));
}

constexpr Function kFunctions[] = {
    {"sha1sum", "func(string) string", [](const Call& call) { return digest(call, EVP_sha1()); }},
    {"sha256sum", "func(string) string",
     [](const Call& call) { return digest(call, EVP_sha256()); }},
    {"sha512sum", "func(string) string",
     [](const Call& call) { return digest(call, EVP_sha512()); }},
    {"adler32sum", "func(string) string", adler32},
    {"bcrypt", "func(string) string", bcrypt},
    {"htpasswd", "func(string, string) string", htpasswd},
    {"encryptAES", "func(string, string) (string, error)", encrypt_aes},
    {"decryptAES", "func(string, string) (string, error)", decrypt_aes},
    {"derivePassword", "func(uint32, string, string, string, string) string", derive_password},
};

}  // namespace

std::span<const Function> digest_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig
