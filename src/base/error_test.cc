#include "base/error.h"

#include <gtest/gtest.h>

namespace tiphys {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) {
    return fail(ErrorCode::invalid, "odd");
  }
  return n / 2;
}

Result<int> quarter(int n) {
  TRY(const int h, half(n));
  TRY(const int q, half(h));
  return q;
}

TEST(Result, try_hands_on_the_value_or_returns_the_error) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(Error, context_is_put_before_the_message) {
  EXPECT_EQ((Error{ErrorCode::io, "no such file", {}}.with_context("read a.yaml").message),
            "read a.yaml: no such file");
}

TEST(Error, every_code_has_a_reason) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::io); ++code) {
    EXPECT_NE(reason_of(static_cast<ErrorCode>(code)), "Unknown");
  }
}

}  // namespace
}  // namespace tiphys
