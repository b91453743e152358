#include "lang/jq/big_integer.h"

#include "base/error.h"
#include "lang/gotext/gotext.h"

#include <openssl/bn.h>

#include <cmath>

namespace tiphys::lang::jq {
namespace {

/// OpenSSL's calls fail only when there is no memory.
void must(int result) { CHECK(result == 1, "big integer arithmetic failed"); }

struct FreeContext {
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};

using Context = std::unique_ptr<BN_CTX, FreeContext>;

}  // namespace

void BigInteger::Free::operator()(bignum_st* number) const { BN_free(number); }

BigInteger::BigInteger(Number number)
    : number_(number.release(), [](const bignum_st* held) { BN_free(const_cast<BIGNUM*>(held)); }) {
}

BigInteger::BigInteger(std::int64_t value) : BigInteger(Number(BN_new())) {
  auto* number = const_cast<BIGNUM*>(number_.get());
  const auto bits = static_cast<std::uint64_t>(value);
  must(BN_set_word(number, value < 0 ? ~bits + 1 : bits));
  BN_set_negative(number, value < 0 ? 1 : 0);
}

std::optional<BigInteger> BigInteger::parse(std::string_view text) {
  const std::string_view digits =
      text.substr(text.starts_with('-') || text.starts_with('+') ? 1 : 0);
  if (digits.empty() || digits.size() > kMaximumDigits ||
      digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  BIGNUM* number = nullptr;
  const std::string copy(digits);
  if (BN_dec2bn(&number, copy.c_str()) == 0) {
    return std::nullopt;
  }
  BN_set_negative(number, text.starts_with('-') ? 1 : 0);
  return BigInteger(Number(number));
}

std::string BigInteger::text() const {
  char* digits = BN_bn2dec(number_.get());
  CHECK(digits != nullptr, "big integer arithmetic failed");
  std::string out = digits;
  OPENSSL_free(digits);
  return out;
}

double BigInteger::to_double() const {
  const auto number = parse_float(text());
  return number ? *number : std::copysign(HUGE_VAL, sign());
}

std::optional<std::int64_t> BigInteger::to_int64() const {
  if (BN_num_bits(number_.get()) > 64) {
    return std::nullopt;
  }
  const std::uint64_t magnitude = BN_get_word(number_.get());
  constexpr std::uint64_t kTop = std::uint64_t{1} << 63U;
  if (BN_is_negative(number_.get()) == 1) {
    return magnitude <= kTop ? std::optional(static_cast<std::int64_t>(~magnitude + 1))
                             : std::nullopt;
  }
  return magnitude < kTop ? std::optional(static_cast<std::int64_t>(magnitude)) : std::nullopt;
}

int BigInteger::sign() const {
  if (BN_is_zero(number_.get()) == 1) {
    return 0;
  }
  return BN_is_negative(number_.get()) == 1 ? -1 : 1;
}

std::size_t BigInteger::bits() const {
  return static_cast<std::size_t>(BN_num_bits(number_.get()));
}

BigInteger BigInteger::negated() const {
  Number copy(BN_dup(number_.get()));
  BN_set_negative(copy.get(), sign() > 0 ? 1 : 0);
  return BigInteger(std::move(copy));
}

BigInteger operator+(const BigInteger& a, const BigInteger& b) {
  BigInteger::Number out(BN_new());
  must(BN_add(out.get(), a.number_.get(), b.number_.get()));
  return BigInteger(std::move(out));
}

BigInteger operator-(const BigInteger& a, const BigInteger& b) {
  BigInteger::Number out(BN_new());
  must(BN_sub(out.get(), a.number_.get(), b.number_.get()));
  return BigInteger(std::move(out));
}

BigInteger operator*(const BigInteger& a, const BigInteger& b) {
  const Context context(BN_CTX_new());
  BigInteger::Number out(BN_new());
  must(BN_mul(out.get(), a.number_.get(), b.number_.get(), context.get()));
  return BigInteger(std::move(out));
}

BigInteger BigInteger::quotient(const BigInteger& a, const BigInteger& b) {
  const Context context(BN_CTX_new());
  Number out(BN_new());
  must(BN_div(out.get(), nullptr, a.number_.get(), b.number_.get(), context.get()));
  return BigInteger(std::move(out));
}

BigInteger BigInteger::remainder(const BigInteger& a, const BigInteger& b) {
  const Context context(BN_CTX_new());
  Number out(BN_new());
  must(BN_div(nullptr, out.get(), a.number_.get(), b.number_.get(), context.get()));
  return BigInteger(std::move(out));
}

int BigInteger::compare(const BigInteger& a, const BigInteger& b) {
  return BN_cmp(a.number_.get(), b.number_.get());
}

}  // namespace tiphys::lang::jq
