#pragma once
/// Integers of any size, for results that do not fit into 64 bits. Immutable values over OpenSSL's
/// BIGNUM. Private to the module.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct bignum_st;

namespace tiphys::lang::jq {

class BigInteger {
 public:
  explicit BigInteger(std::int64_t value);
  /// Decimal digits with an optional minus sign; nothing for anything else and for more than
  /// `kMaximumDigits` digits.
  static std::optional<BigInteger> parse(std::string_view text);

  /// Products of more than this are not computed: their digits take time that grows with the
  /// square.
  static constexpr std::size_t kMaximumDigits = 20'000;

  std::string text() const;
  double to_double() const;
  std::optional<std::int64_t> to_int64() const;
  int sign() const;
  std::size_t bits() const;

  BigInteger negated() const;
  friend BigInteger operator+(const BigInteger& a, const BigInteger& b);
  friend BigInteger operator-(const BigInteger& a, const BigInteger& b);
  friend BigInteger operator*(const BigInteger& a, const BigInteger& b);
  /// Truncated division, as Go's Quo and Rem; `b` is not zero.
  static BigInteger quotient(const BigInteger& a, const BigInteger& b);
  static BigInteger remainder(const BigInteger& a, const BigInteger& b);
  static int compare(const BigInteger& a, const BigInteger& b);

 private:
  struct Free {
    void operator()(bignum_st* number) const;
  };

  using Number = std::unique_ptr<bignum_st, Free>;

  explicit BigInteger(Number number);

  std::shared_ptr<const bignum_st> number_;
};

}  // namespace tiphys::lang::jq
