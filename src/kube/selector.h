#pragma once
/// Label selectors in their text form: `app=web, tier in (front,back), !canary`
/// (apimachinery pkg/labels/selector.go).

#include "base/error.h"
#include "kube/object.h"

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::kube {

class LabelSelector final {
 public:
  /// Selects everything.
  LabelSelector() = default;
  /// Reads `key`, `!key`, `key=v`, `key==v`, `key!=v`, `key in (a,b)`, `key notin (a,b)`, `key>1`
  /// and `key<1`, joined by commas. Text without any requirement selects everything. Error invalid.
  static Result<LabelSelector> parse(std::string_view text);
  /// Selects objects whose label `key` is `value`.
  static LabelSelector equals(std::string key, std::string value);

  bool matches(const Labels& labels) const;

  bool empty() const { return requirements_.empty(); }

 private:
  friend class SelectorParser;
  enum class Operator { exists, absent, one_of, none_of, greater, less };

  struct Requirement {
    std::string key;
    Operator relation = Operator::exists;
    std::vector<std::string> values;  ///< sorted
  };

  static bool matches(const Requirement& requirement, const Labels& labels);

  std::vector<Requirement> requirements_;
};

}  // namespace tiphys::kube
