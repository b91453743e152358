#include "lang/gotext/gotext.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace tiphys::workflows {
namespace {

constexpr std::string_view kNameRule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view kValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr std::string_view kPrefixRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestPrefix = 253;

bool is_lower_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); }

bool is_alphanumeric(char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

bool is_label(std::string_view text) {
  return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::ranges::all_of(
             text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_subdomain(std::string_view text) {
  while (true) {
    const std::string_view part = text.substr(0, text.find('.'));
    const bool is_valid =
        !part.empty() && is_lower_or_digit(part.front()) && is_lower_or_digit(part.back()) &&
        std::ranges::all_of(part, [](char c) { return is_lower_or_digit(c) || c == '-'; });
    if (!is_valid || part.size() == text.size()) {
      return is_valid;
    }
    text.remove_prefix(part.size() + 1);
  }
}

void add(std::string& problems, std::string_view problem) {
  problems += problems.empty() ? "" : "; ";
  problems += problem;
}

std::string prefix_problem(std::string_view prefix) {
  std::string problems;
  if (prefix.empty()) {
    add(problems, "prefix part must be non-empty");
    return problems;
  }
  if (prefix.size() > kLongestPrefix) {
    add(problems, "prefix part must be no more than 253 bytes");
  }
  if (!is_subdomain(prefix)) {
    add(problems, "prefix part " + std::string(kPrefixRule));
  }
  return problems;
}

/// IsQualifiedName of k8s.io/apimachinery.
std::string key_problem(std::string_view key) {
  const auto slashes = std::ranges::count(key, '/');
  if (slashes > 1) {
    return "a qualified name " + std::string(kNameRule) +
           " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
  }
  std::string problems;
  if (slashes == 1) {
    problems = prefix_problem(key.substr(0, key.find('/')));
    key.remove_prefix(key.find('/') + 1);
  }
  if (key.empty()) {
    add(problems, "name part must be non-empty");
  } else if (key.size() > kLongestLabel) {
    add(problems, "name part must be no more than 63 bytes");
  }
  if (!is_label(key)) {
    add(problems, "name part " + std::string(kNameRule));
  }
  return problems;
}

std::string value_problem(std::string_view value) {
  std::string problems;
  if (value.size() > kLongestLabel) {
    add(problems, "must be no more than 63 bytes");
  }
  if (!value.empty() && !is_label(value)) {
    add(problems, kValueRule);
  }
  return problems;
}

std::string problem_of(std::string_view key, const std::vector<std::string>& values) {
  if (const std::string problem = key_problem(key); !problem.empty()) {
    return "key: Invalid value: " + lang::quote(key) + ": " + problem;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (const std::string problem = value_problem(values[i]); !problem.empty()) {
      return "values[" + std::to_string(i) + "][" + std::string(key) +
             "]: Invalid value: " + lang::quote(values[i]) + ": " + problem;
    }
  }
  return "";
}

std::string expression_problem(const doc::Value& expression) {
  const std::string_view relation = doc::find_string(expression, "operator");
  std::vector<std::string> values;
  if (const doc::Value* list = find_in(expression, "values"); list != nullptr && list->is_array()) {
    for (const doc::Value& value : list->get_array()) {
      values.emplace_back(value.is_string() ? doc::text_of(value.get_string()) : "");
    }
  }
  if (relation == "In" || relation == "NotIn") {
    if (values.empty()) {
      return "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty";
    }
  } else if (relation == "Exists" || relation == "DoesNotExist") {
    if (!values.empty()) {
      return "values: Invalid value: " + doc::to_json(*find_in(expression, "values")) +
             ": values set must be empty for exists and does not exist";
    }
  } else {
    return lang::quote(relation) + " is not a valid label selector operator";
  }
  return problem_of(doc::find_string(expression, "key"), values);
}

}  // namespace

std::string label_selector_problem(const doc::Value& selector) {
  if (const doc::Value* labels = find_in(selector, "matchLabels");
      labels != nullptr && labels->is_object()) {
    std::map<std::string, std::string> sorted;
    for (const auto& [key, value] : labels->get_object()) {
      sorted.emplace(std::string(key.data(), key.size()),
                     value.is_string() ? doc::text_of(value.get_string()) : "");
    }
    for (const auto& [key, value] : sorted) {
      if (std::string problem = problem_of(key, {value}); !problem.empty()) {
        return problem;
      }
    }
  }
  const doc::Value* expressions = find_in(selector, "matchExpressions");
  if (expressions == nullptr || !expressions->is_array()) {
    return "";
  }
  for (const doc::Value& expression : expressions->get_array()) {
    if (std::string problem = expression_problem(expression); !problem.empty()) {
      return problem;
    }
  }
  return "";
}

}  // namespace tiphys::workflows
