#include "workflows/engine/field_selector.h"

#include <algorithm>

namespace tiphys::workflows {
namespace {

/// The terms of a selector, escaped commas kept.
std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      out.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  out.push_back(text.substr(begin));
  return out;
}

Result<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    if (++i == text.size() || (text[i] != '\\' && text[i] != ',' && text[i] != '=')) {
      return fail(ErrorCode::bad_request,
                  "invalid field selector: invalid escape in '" + std::string(text) + "'");
    }
    out.push_back(text[i]);
  }
  return out;
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector out;
  for (const std::string_view term : split_terms(text)) {
    if (term.empty()) {
      continue;
    }
    const std::size_t at = term.find_first_of("=!");
    Term parsed;
    std::size_t size = 1;
    if (at != std::string_view::npos && term[at] == '!' && at + 1 < term.size() &&
        term[at + 1] == '=') {
      parsed.equal = false;
      size = 2;
    } else if (at == std::string_view::npos || term[at] == '!') {
      return fail(ErrorCode::bad_request, "invalid selector: '" + std::string(text) +
                                              "'; can't understand '" + std::string(term) + "'");
    } else if (at + 1 < term.size() && term[at + 1] == '=') {
      size = 2;
    }
    parsed.field = term.substr(0, at);
    TRY(parsed.value, unescaped(term.substr(at + size)));
    out.terms_.push_back(std::move(parsed));
  }
  return out;
}

bool FieldSelector::matches(const std::map<std::string, std::string>& fields) const {
  return std::ranges::all_of(terms_, [&](const Term& term) {
    const auto found = fields.find(term.field);
    const std::string_view value = found == fields.end() ? std::string_view() : found->second;
    return (value == term.value) == term.equal;
  });
}

}  // namespace tiphys::workflows
