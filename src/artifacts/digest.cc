#include "artifacts/digest.h"

#include "artifacts/files.h"

#include <openssl/evp.h>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tiphys::artifacts {
namespace {

constexpr std::size_t kChunk = 1 << 18;
/// Beyond this many files the memory is emptied and filled again: a bound, not a policy.
constexpr std::size_t kMaximumKnown = 1 << 18;

}  // namespace

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  // Looked up once: fetching an algorithm from OpenSSL 3's providers costs more than hashing 1 KiB.
  static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CHECK(impl_->context != nullptr && EVP_DigestInit_ex(impl_->context, kAlgorithm, nullptr) == 1,
        "SHA-256 is part of every OpenSSL");
}

Sha256::~Sha256() { EVP_MD_CTX_free(impl_->context); }

void Sha256::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1, "hashing cannot fail");
}

void Sha256::update_text(std::string_view text) {
  update(std::to_string(text.size()));
  update(":");
  update(text);
}

RawDigest Sha256::finish() {
  RawDigest digest{};
  CHECK(EVP_DigestFinal_ex(impl_->context, digest.data(), nullptr) == 1, "hashing cannot fail");
  return digest;
}

std::string to_hex(const RawDigest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(digest.size() * 2);
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return to_hex(hash.finish());
}

Result<RawDigest> sha256_of(int file) {
  Sha256 hash;
  thread_local std::vector<char> buffer(kChunk);
  off_t offset = 0;
  while (true) {
    const ssize_t got = ::pread(file, buffer.data(), buffer.size(), offset);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail_errno("read", errno);
    }
    if (got == 0) {
      return hash.finish();
    }
    hash.update({buffer.data(), static_cast<std::size_t>(got)});
    offset += got;
  }
}

std::size_t FileDigests::IdentityHash::operator()(const Identity& identity) const {
  return static_cast<std::size_t>(
      (identity.inode * 0x9E3779B97F4A7C15U) ^ (identity.device << 48U) ^
      static_cast<std::uint64_t>(identity.changed ^ (identity.size << 20)));
}

Result<std::string> FileDigests::digest_of(const std::filesystem::path& path) {
  // Without O_NONBLOCK, opening a FIFO that nobody writes to would hang.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) {
    const int reason = errno;
    return reason == ENOENT || reason == ENOTDIR
               ? fail(ErrorCode::not_found, path.string() + ": no such file")
               : fail_errno(path.string(), reason);
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::io, path.string() + ": not a regular file");
  }
  TRY(const RawDigest digest, digest_of(file.get(), status));
  return to_hex(digest);
}

Result<RawDigest> FileDigests::digest_of(int file, const struct stat& status) {
  const Identity identity{status.st_dev, status.st_ino, status.st_size,
                          nanoseconds_of(status.st_mtim), nanoseconds_of(status.st_ctim)};
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(identity); found != known_.end()) {
      return found->second;
    }
  }
  TRY(const RawDigest digest, sha256_of(file));
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMaximumKnown) {
    known_.clear();
  }
  known_.emplace(identity, digest);
  return digest;
}

std::size_t FileDigests::size() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

}  // namespace tiphys::artifacts
