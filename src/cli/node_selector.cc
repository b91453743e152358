#include "cli/node_selector.h"

#include "workflows/model/model.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace tiphys::cli {
namespace {

using doc::Value;

struct Term {
  std::string field;
  std::string value;
  bool equal = true;
};

std::string field_of(const Value& node, const std::string& field) {
  constexpr std::string_view kParameter = "inputs.parameters.";
  constexpr std::string_view kValue = ".value";
  if (field.starts_with("templateRef.")) {
    const Value* reference = doc::find(node, "templateRef");
    return reference == nullptr ? "" : std::string(doc::find_string(*reference, field.substr(12)));
  }
  if (field.starts_with(kParameter) && field.ends_with(kValue)) {
    const std::string name =
        field.substr(kParameter.size(), field.size() - kParameter.size() - kValue.size());
    const Value* inputs = doc::find(node, "inputs");
    const Value* parameters = inputs == nullptr ? nullptr : doc::find(*inputs, "parameters");
    if (parameters != nullptr && parameters->is_array()) {
      for (const Value& parameter : parameters->get_array()) {
        const Value* value = doc::find(parameter, "value");
        if (doc::find_string(parameter, "name") == name && value != nullptr) {
          return workflows::any_string(*value);
        }
      }
    }
    return "";
  }
  return std::string(doc::find_string(node, field));
}

bool is_field(const std::string& field) {
  static constexpr std::array<std::string_view, 7> kFields = {
      "displayName", "templateName", "templateRef.name", "templateRef.template", "phase", "name",
      "id"};
  return std::ranges::find(kFields, field) != kFields.end() ||
         (field.starts_with("inputs.parameters.") && field.ends_with(".value"));
}

Result<Term> parse_term(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::invalid,
                "invalid selector: '" + text +
                    "'; can't understand it, expected field=value, field==value or field!=value");
  }
  Term term;
  term.equal = text[equals - 1] != '!';
  term.field = text.substr(0, term.equal ? equals : equals - 1);
  term.value = text.substr(equals + (text.compare(equals, 2, "==") == 0 ? 2 : 1));
  if (!is_field(term.field)) {
    return fail(
        ErrorCode::invalid,
        "selector is invalid: no field '" + term.field +
            "': expected displayName, templateName, templateRef.name, templateRef.template, "
            "phase, name, id or inputs.parameters.<name>.value");
  }
  return term;
}

}  // namespace

Result<std::function<bool(const Value&)>> parse_node_selector(std::string_view selector) {
  auto terms = std::make_shared<std::vector<Term>>();
  while (!selector.empty()) {
    const std::size_t comma = std::min(selector.find(','), selector.size());
    TRY(terms->emplace_back(), parse_term(std::string(selector.substr(0, comma))));
    selector.remove_prefix(std::min(comma + 1, selector.size()));
  }
  return [terms](const Value& node) {
    return std::ranges::all_of(*terms, [&](const Term& term) {
      return (field_of(node, term.field) == term.value) == term.equal;
    });
  };
}

}  // namespace tiphys::cli
