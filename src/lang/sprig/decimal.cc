#include "lang/sprig/decimal.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>
#include <openssl/bn.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace tiphys::lang::sprig {
namespace {

struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_free(number); }
};

struct FreeContext {
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};

using Number = std::unique_ptr<BIGNUM, FreeNumber>;
using Context = std::unique_ptr<BN_CTX, FreeContext>;

Number make_number() {
  Number number(BN_new());
  CHECK(number != nullptr, "there is memory for a number");
  return number;
}

Context make_context() {
  Context context(BN_CTX_new());
  CHECK(context != nullptr, "there is memory for numbers");
  return context;
}

Number power_of_ten(int exponent) {
  const Context context = make_context();
  Number ten = make_number();
  Number wanted = make_number();
  Number out = make_number();
  BN_set_word(ten.get(), 10);
  BN_set_word(wanted.get(), static_cast<BN_ULONG>(exponent));
  BN_exp(out.get(), ten.get(), wanted.get(), context.get());
  return out;
}

/// number * 10^exponent
Number scaled(const BIGNUM* number, int exponent) {
  const Context context = make_context();
  const Number factor = power_of_ten(exponent);
  Number out = make_number();
  BN_mul(out.get(), number, factor.get(), context.get());
  return out;
}

}  // namespace

struct Decimal::Digits {
  Number number;
};

Decimal::Decimal(std::unique_ptr<Digits> digits, int exponent)
    : digits_(std::move(digits)), exponent_(exponent) {}

Decimal::Decimal(Decimal&&) noexcept = default;
Decimal& Decimal::operator=(Decimal&&) noexcept = default;
Decimal::~Decimal() = default;

Result<Decimal> Decimal::from(double value) {
  if (!std::isfinite(value)) {
    return fail(ErrorCode::invalid,
                fmt::format("Cannot create a Decimal from {}", float_text(value)));
  }
  // "-1.25e-07"
  std::array<char, 64> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::scientific);
  const std::string text(buffer.data(), written.ptr);
  const std::size_t e = text.find('e');
  int exponent = 0;
  const char* digits = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits, text.data() + text.size(), exponent);
  std::string mantissa = text.substr(0, e);
  if (const std::size_t point = mantissa.find('.'); point != std::string::npos) {
    exponent -= static_cast<int>(mantissa.size() - point - 1);
    mantissa.erase(point, 1);
  }
  BIGNUM* raw = nullptr;
  CHECK(BN_dec2bn(&raw, mantissa.c_str()) > 0, "a printed float has digits");
  return Decimal(std::make_unique<Digits>(Digits{Number(raw)}), exponent);
}

Decimal Decimal::add(const Decimal& a, const Decimal& b) {
  const int exponent = std::min(a.exponent_, b.exponent_);
  const Number left = scaled(a.digits_->number.get(), a.exponent_ - exponent);
  const Number right = scaled(b.digits_->number.get(), b.exponent_ - exponent);
  Number sum = make_number();
  BN_add(sum.get(), left.get(), right.get());
  return {std::make_unique<Digits>(Digits{std::move(sum)}), exponent};
}

Decimal Decimal::subtract(const Decimal& a, const Decimal& b) {
  Number negated(BN_dup(b.digits_->number.get()));
  CHECK(negated != nullptr, "there is memory for a number");
  BN_set_negative(negated.get(), BN_is_negative(negated.get()) == 0 ? 1 : 0);
  return add(a, {std::make_unique<Digits>(Digits{std::move(negated)}), b.exponent_});
}

Decimal Decimal::multiply(const Decimal& a, const Decimal& b) {
  const Context context = make_context();
  Number product = make_number();
  BN_mul(product.get(), a.digits_->number.get(), b.digits_->number.get(), context.get());
  return {std::make_unique<Digits>(Digits{std::move(product)}), a.exponent_ + b.exponent_};
}

Result<Decimal> Decimal::divide(const Decimal& a, const Decimal& b) {
  constexpr int kPrecision = 16;
  if (BN_is_zero(b.digits_->number.get()) != 0) {
    return fail(ErrorCode::invalid, "decimal division by 0");
  }
  const int shift = a.exponent_ - b.exponent_ + kPrecision;
  const Number above = scaled(a.digits_->number.get(), std::max(shift, 0));
  const Number below = scaled(b.digits_->number.get(), std::max(-shift, 0));
  const Context context = make_context();
  Number quotient = make_number();
  Number remainder = make_number();
  BN_div(quotient.get(), remainder.get(), above.get(), below.get(), context.get());
  BN_lshift1(remainder.get(), remainder.get());
  if (BN_ucmp(remainder.get(), below.get()) >= 0) {
    const bool negative = BN_is_negative(above.get()) != BN_is_negative(below.get());
    negative ? BN_sub_word(quotient.get(), 1) : BN_add_word(quotient.get(), 1);
  }
  return Decimal(std::make_unique<Digits>(Digits{std::move(quotient)}), -kPrecision);
}

double Decimal::to_double() const {
  char* raw = BN_bn2dec(digits_->number.get());
  CHECK(raw != nullptr, "there is memory for digits");
  const std::string text = fmt::format("{}e{}", raw, exponent_);
  OPENSSL_free(raw);
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc::result_out_of_range) {
    const bool negative = text.starts_with('-');
    const auto digits = static_cast<long>(text.find('e')) - (negative ? 1 : 0);
    const double size = digits + exponent_ > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    return negative ? -size : size;
  }
  // Go's rational numbers know no negative zero.
  return value == 0 ? 0.0 : value;
}

std::size_t Decimal::bytes() const {
  return static_cast<std::size_t>(BN_num_bytes(digits_->number.get()));
}

}  // namespace tiphys::lang::sprig
