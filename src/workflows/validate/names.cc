#include "workflows/validate/names.h"

#include "lang/gotext/gotext.h"

#include <algorithm>

namespace tiphys::workflows {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_tag_letter(char c) { return is_alphanumeric(c) || c == '-'; }

bool is_field_name(std::string_view name) {
  return !name.empty() && is_alphanumeric(name.front()) && std::ranges::all_of(name, is_tag_letter);
}

/// Whether `text` starts with a parameter's tag behind its opening braces.
bool continues_tag(std::string_view text) {
  const auto* at = std::ranges::find_if_not(text, is_tag_letter);
  if (at == text.begin()) {
    return false;
  }
  while (at != text.end() && *at == '.') {
    const auto* const segment = at + 1;
    at = std::find_if_not(segment, text.end(), [](char c) { return is_tag_letter(c) || c == '_'; });
    if (at == segment) {
      return false;
    }
  }
  return std::string_view(at, text.end()).starts_with("}}");
}

}  // namespace

bool is_placeholder(std::string_view text) { return text.starts_with(kPlaceholderPrefix); }

bool holds_placeholder(std::string_view text) {
  return text.find(kPlaceholderPrefix) != std::string_view::npos;
}

std::string field_name_problem(std::string_view name) {
  constexpr std::size_t kLongest = 128;
  std::string problem;
  if (name.size() > kLongest) {
    problem = "must be no more than 128 characters";
  }
  if (!is_field_name(name)) {
    problem += problem.empty() ? "" : ";";
    problem +=
        "name must consist of alpha-numeric characters or '-', and must start with an "
        "alpha-numeric character (e.g. My-name1-2, 123-NAME)";
  }
  return problem;
}

std::string parameter_name_problem(std::string_view name) {
  const bool valid = !name.empty() &&
                     std::ranges::all_of(name, [](char c) { return is_tag_letter(c) || c == '_'; });
  return valid ? ""
               : "Parameter/Artifact name must consist of alpha-numeric characters, '_' or '-' "
                 "e.g. my_param_1, MY-PARAM-1";
}

std::string step_name_problem(std::string_view name) {
  std::string plain;
  while (true) {
    const std::size_t begin = name.find(kPlaceholderPrefix);
    plain += name.substr(0, begin);
    if (begin == std::string_view::npos) {
      return field_name_problem(plain);
    }
    name.remove_prefix(begin + kPlaceholderPrefix.size());
    const auto digits =
        static_cast<std::size_t>(std::ranges::find_if_not(name, is_digit) - name.begin());
    plain += digits > 0 ? "x" : kPlaceholderPrefix;
    name.remove_prefix(digits);
  }
}

std::string NameList::add(std::string_view name) {
  const std::string place = "[" + std::to_string(index_++) + "].name";
  if (name.empty()) {
    return place + " is required";
  }
  const std::string problem =
      rule_ == NameRule::field ? field_name_problem(name) : parameter_name_problem(name);
  const std::string shown = " '" + std::string(name) + "' is ";
  if (!problem.empty()) {
    return place + ":" + shown + "invalid: " + problem;
  }
  return seen_.emplace(name).second ? "" : place + shown + "not unique";
}

bool holds_parameter_tag(std::string_view text) {
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    ++at;
    if (continues_tag(text.substr(at + 1))) {
      return true;
    }
  }
  return false;
}

bool is_reserved_container(std::string_view name) {
  return name == "wait" || name == "supervisor" || name.starts_with("artifact-plugin-");
}

bool is_metric_name(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '_'; });
}

bool is_integer_text(std::string_view text) { return lang::parse_integer(text, 10).has_value(); }

}  // namespace tiphys::workflows
