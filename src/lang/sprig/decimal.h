#pragma once
/// Decimal numbers of any size, as the float functions compute with them. Private to the module.

#include "base/error.h"

#include <memory>
#include <string>

namespace tiphys::lang::sprig {

/// value * 10^exponent. Source of the rules: shopspring/decimal v1.4.0.
class Decimal {
 public:
  /// The shortest decimal that reads as this float. Error: invalid, for infinities and NaN.
  static Result<Decimal> from(double value);

  Decimal(Decimal&&) noexcept;
  Decimal& operator=(Decimal&&) noexcept;
  ~Decimal();

  static Decimal add(const Decimal& a, const Decimal& b);
  static Decimal subtract(const Decimal& a, const Decimal& b);
  static Decimal multiply(const Decimal& a, const Decimal& b);
  /// With 16 digits behind the point, halves away from zero. Error: invalid, division by 0.
  static Result<Decimal> divide(const Decimal& a, const Decimal& b);

  /// The nearest float64; infinite when there is none.
  double to_double() const;
  /// Of the digits, for budgets.
  std::size_t bytes() const;

 private:
  struct Digits;

  Decimal(std::unique_ptr<Digits> digits, int exponent);

  std::unique_ptr<Digits> digits_;
  int exponent_ = 0;
};

}  // namespace tiphys::lang::sprig
