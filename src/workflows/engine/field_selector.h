#pragma once
/// Field selectors: "displayName=approve,phase!=Failed" (apimachinery pkg/fields).

#include "base/error.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::workflows {

class FieldSelector {
 public:
  /// Terms are joined by commas; a backslash keeps a comma, `=` or backslash of a value. Error:
  /// bad_request.
  static Result<FieldSelector> parse(std::string_view text);
  /// A field that is not there counts as empty.
  bool matches(const std::map<std::string, std::string>& fields) const;

 private:
  struct Term {
    std::string field;
    std::string value;
    bool equal = true;
  };

  std::vector<Term> terms_;
};

}  // namespace tiphys::workflows
