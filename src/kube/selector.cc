#include "kube/selector.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace tiphys::kube {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kSpecial = " \t\r\n()=!,<>";

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : text_(text), rest_(text) {}

  Result<LabelSelector> parse() {
    LabelSelector selector;
    skip_space();
    while (!rest_.empty()) {
      TRY(auto requirement, parse_requirement());
      selector.requirements_.push_back(std::move(requirement));
      if (!take(",")) {
        break;
      }
      if (rest_.empty()) {
        return error("a requirement is missing after ','");
      }
    }
    if (!rest_.empty()) {
      return error("did not expect \"" + std::string(rest_.substr(0, 20)) + "\"");
    }
    return selector;
  }

 private:
  using Operator = LabelSelector::Operator;
  using Requirement = LabelSelector::Requirement;

  std::unexpected<Error> error(const std::string& what) const {
    return fail(ErrorCode::invalid,
                "unable to parse selector \"" + std::string(text_) + "\": " + what);
  }

  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
  }

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) {
      return false;
    }
    rest_.remove_prefix(token.size());
    skip_space();
    return true;
  }

  std::string word() {
    const std::size_t size = std::min(rest_.find_first_of(kSpecial), rest_.size());
    std::string word(rest_.substr(0, size));
    rest_.remove_prefix(size);
    skip_space();
    return word;
  }

  Result<Requirement> parse_requirement() {
    Requirement requirement;
    const bool negated = take("!");
    requirement.key = word();
    if (requirement.key.empty()) {
      return error("a label key is missing");
    }
    if (negated) {
      requirement.relation = Operator::absent;
      return requirement;
    }
    if (rest_.empty() || rest_.front() == ',') {
      return requirement;
    }
    if (take("!=")) {
      return with_value(std::move(requirement), Operator::none_of);
    }
    if (take("==") || take("=")) {
      return with_value(std::move(requirement), Operator::one_of);
    }
    if (take(">")) {
      return with_number(std::move(requirement), Operator::greater);
    }
    if (take("<")) {
      return with_number(std::move(requirement), Operator::less);
    }
    const std::string relation = word();
    if (relation == "in") {
      return with_set(std::move(requirement), Operator::one_of);
    }
    if (relation == "notin") {
      return with_set(std::move(requirement), Operator::none_of);
    }
    return error("did not expect \"" + relation + "\" after " + requirement.key);
  }

  Result<Requirement> with_value(Requirement requirement, Operator relation) {
    requirement.relation = relation;
    requirement.values = {word()};
    return requirement;
  }

  Result<Requirement> with_number(Requirement requirement, Operator relation) {
    TRY(requirement, with_value(std::move(requirement), relation));
    if (!integer(requirement.values.front())) {
      return error("for '>' and '<' the value must be an integer");
    }
    return requirement;
  }

  Result<Requirement> with_set(Requirement requirement, Operator relation) {
    requirement.relation = relation;
    if (!take("(")) {
      return error("'(' is missing");
    }
    do {
      requirement.values.push_back(word());
    } while (take(","));
    if (!take(")")) {
      return error("')' is missing");
    }
    std::ranges::sort(requirement.values);
    return requirement;
  }

  std::string_view text_;
  std::string_view rest_;
};

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  return SelectorParser(text).parse();
}

LabelSelector LabelSelector::equals(std::string key, std::string value) {
  LabelSelector selector;
  selector.requirements_.push_back({std::move(key), Operator::one_of, {std::move(value)}});
  return selector;
}

bool LabelSelector::matches(const Requirement& requirement, const Labels& labels) {
  const auto value = find_label(labels, requirement.key);
  switch (requirement.relation) {
    case Operator::exists:
      return value.has_value();
    case Operator::absent:
      return !value.has_value();
    case Operator::one_of:
      return value && std::ranges::binary_search(requirement.values, *value, std::less<>());
    case Operator::none_of:
      return !value || !std::ranges::binary_search(requirement.values, *value, std::less<>());
    case Operator::greater:
    case Operator::less: {
      const auto left = value ? integer(*value) : std::nullopt;
      const auto right = integer(requirement.values.front());
      if (!left || !right) {
        return false;
      }
      return requirement.relation == Operator::greater ? *left > *right : *left < *right;
    }
  }
  return false;
}

bool LabelSelector::matches(const Labels& labels) const {
  return std::ranges::all_of(
      requirements_, [&](const Requirement& requirement) { return matches(requirement, labels); });
}

}  // namespace tiphys::kube
