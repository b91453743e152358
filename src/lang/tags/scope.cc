#include "lang/tags/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tiphys::lang {
namespace {

constexpr std::string_view kPlaceholder = "__argo__internal__placeholder-";

bool is_placeholder(const ExprValue& value) {
  return value.kind() == ExprKind::string && value.as_string().starts_with(kPlaceholder);
}

using Nil = ScopeEnvironment::Nil;

/// The names of one layer that start with a prefix.
std::pair<std::size_t, std::size_t> range_of(const std::vector<std::string_view>& names,
                                             std::string_view prefix) {
  const auto first = std::ranges::lower_bound(names, prefix);
  const auto last = std::partition_point(
      first, names.end(), [prefix](std::string_view name) { return name.starts_with(prefix); });
  return {static_cast<std::size_t>(first - names.begin()),
          static_cast<std::size_t>(last - names.begin())};
}

/// Whether a name counts: not hidden by an option, and not by a layer above that says nil.
bool counts(const Scope& scope, std::string_view name, Nil nil) {
  return nil == Nil::keep || !scope.find(name)->is_nil();
}

bool has_children(const Scope& scope, std::string_view prefix, Nil nil) {
  for (const Scope* layer = &scope; layer != nullptr; layer = layer->below()) {
    const auto& names = layer->sorted_names();
    auto [at, end] = range_of(names, prefix);
    for (; at < end; ++at) {
      if (counts(scope, names[at], nil)) {
        return true;
      }
    }
  }
  return false;
}

/// The part of every name behind the prefix and before the next dot, once each, in order.
std::set<std::string_view> children_of(const Scope& scope, std::string_view prefix, Nil nil) {
  std::set<std::string_view> children;
  for (const Scope* layer = &scope; layer != nullptr; layer = layer->below()) {
    const auto& names = layer->sorted_names();
    auto [at, end] = range_of(names, prefix);
    for (; at < end; ++at) {
      const std::string_view rest = names[at].substr(prefix.size());
      if (counts(scope, names[at], nil)) {
        children.insert(rest.substr(0, rest.find('.')));
      }
    }
  }
  return children;
}

std::optional<ExprValue> child_value(const Scope& scope, std::string_view name, Nil nil);

/// The names below a prefix (which ends in a dot) as a map; nothing is built before it is asked
/// for. It must not outlive its scope: results are turned into text at once.
class ScopeMap final : public ExprMap {
 public:
  ScopeMap(const Scope& scope, std::string prefix, Nil nil)
      : scope_(scope), prefix_(std::move(prefix)), nil_(nil) {}

  std::optional<ExprValue> find(std::string_view key) const override {
    if (key.find('.') != std::string_view::npos) {
      return std::nullopt;
    }
    return child_value(scope_, fmt::format("{}{}", prefix_, key), nil_);
  }

  std::size_t size() const override { return children_of(scope_, prefix_, nil_).size(); }

  void each(const std::function<bool(std::string_view key, const ExprValue& value)>& visit)
      const override {
    for (const std::string_view child : children_of(scope_, prefix_, nil_)) {
      const auto value = child_value(scope_, fmt::format("{}{}", prefix_, child), nil_);
      if (value && !visit(child, *value)) {
        return;
      }
    }
  }

 private:
  const Scope& scope_;
  std::string prefix_;
  Nil nil_;
};

std::optional<ExprValue> child_value(const Scope& scope, std::string_view name, Nil nil) {
  std::string prefix = fmt::format("{}.", name);
  if (has_children(scope, prefix, nil)) {
    return ExprValue::map(std::make_shared<const ScopeMap>(scope, std::move(prefix), nil));
  }
  const ExprValue* value = scope.find(name);
  if (value == nullptr || (nil == Nil::hide && value->is_nil())) {
    return std::nullopt;
  }
  return *value;
}

std::optional<ExprValue> member_of(const ExprValue& value, std::string_view name) {
  if (value.kind() == ExprKind::map && value.as_map() != nullptr) {
    return value.as_map()->find(name);
  }
  if (value.kind() == ExprKind::object) {
    return value.as_object()->field(name);
  }
  return std::nullopt;
}

/// A copy that does not refer to the scope.
ExprValue detached(const ExprValue& value) {
  if (value.kind() != ExprKind::map || dynamic_cast<const ScopeMap*>(value.as_map()) == nullptr) {
    return value;
  }
  ExprEntries entries;
  value.as_map()->each([&entries](std::string_view key, const ExprValue& child) {
    entries.emplace(key, detached(child));
    return true;
  });
  return ExprValue::map(std::move(entries));
}

}  // namespace

void Scope::set(std::string name, std::string text) {
  set_value(std::move(name), ExprValue::string(std::move(text)));
}

void Scope::set_absent(std::string name) { set_value(std::move(name), ExprValue()); }

void Scope::set_value(std::string name, ExprValue value) {
  placeholders_ += is_placeholder(value) ? 1 : 0;
  const auto [place, is_new] = values_.try_emplace(std::move(name));
  if (is_new) {
    is_sorted_ = false;
  } else if (is_placeholder(place->second)) {
    --placeholders_;
  }
  place->second = std::move(value);
}

const ExprValue* Scope::find(const ScopeKey& key) const {
  for (const Scope* layer = this; layer != nullptr; layer = layer->below_) {
    if (const auto place = layer->values_.find(key); place != layer->values_.end()) {
      return &place->second;
    }
  }
  return nullptr;
}

const std::vector<std::string_view>& Scope::sorted_names() const {
  if (!is_sorted_) {
    sorted_.clear();
    sorted_.reserve(values_.size());
    for (const auto& [name, value] : values_) {
      sorted_.push_back(name);
    }
    std::ranges::sort(sorted_);
    is_sorted_ = true;
  }
  return sorted_;
}

bool Scope::has_placeholder() const {
  for (const Scope* layer = this; layer != nullptr; layer = layer->below_) {
    if (layer->placeholders_ > 0) {
      return true;
    }
  }
  return false;
}

std::optional<ExprValue> ScopeEnvironment::lookup(std::string_view name) const {
  if (auto function = functions_.lookup(name)) {
    return function;
  }
  if (name.find('.') != std::string_view::npos) {
    return std::nullopt;
  }
  return child_value(scope_, name, nil_);
}

std::vector<std::string> ScopeEnvironment::names() const {
  std::set<std::string> names;
  for (const std::string_view name : children_of(scope_, "", nil_)) {
    names.emplace(name);
  }
  for (std::string& name : functions_.names()) {
    names.insert(std::move(name));
  }
  return {names.begin(), names.end()};
}

bool ScopeEnvironment::has(std::string_view path) const {
  std::optional<ExprValue> value;
  for (bool is_root = true;; is_root = false) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view name = path.substr(0, dot);
    value = is_root ? lookup(name) : member_of(*value, name);
    if (!value || dot == path.size()) {
      return value.has_value();
    }
    path.remove_prefix(dot + 1);
  }
}

ExprValue expand_scope(const Scope& scope) {
  ExprEntries entries;
  for (const std::string_view name : children_of(scope, "", Nil::keep)) {
    if (const auto value = child_value(scope, name, Nil::keep)) {
      entries.emplace(name, detached(*value));
    }
  }
  return ExprValue::map(std::move(entries));
}

}  // namespace tiphys::lang
