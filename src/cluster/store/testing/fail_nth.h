#pragma once
/// Makes the nth commit fail, so that a test can be repeated with the 1st, 2nd, ... commit failing
/// until it gets by without a failure.

#include "base/error.h"

#include <atomic>
#include <memory>

namespace tiphys::store::testing {

class FailNth final {
 public:
  /// Counts from 1. Copies count together.
  explicit FailNth(int nth) : left_(std::make_shared<std::atomic<int>>(nth)) {}

  Result<> operator()() const {
    if (--*left_ == 0) {
      return fail(ErrorCode::io, "a failure asked for by a test");
    }
    return {};
  }

  bool has_failed() const { return *left_ <= 0; }

 private:
  std::shared_ptr<std::atomic<int>> left_;
};

}  // namespace tiphys::store::testing
