#pragma once
/// The scope of a template: a flat table of dotted names ("inputs.parameters.x"), in layers. A step
/// adds a few names to those of its template, which adds to those of the workflow; a layer on top
/// holds only what it adds. Looking a name up costs one hash and one probe a layer.

#include "lang/expr/expr.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tiphys::lang {

/// A name with its hash, for names that are looked up many times. Refers to the name's bytes.
struct ScopeKey {
  std::string_view name;
  std::size_t hash = 0;

  static ScopeKey of(std::string_view name) { return {name, std::hash<std::string_view>{}(name)}; }
};

/// A value is a text, an artifact (see artifact_value), or nil: an optional output that nobody
/// produced. Other values are allowed; a simple tag cannot name them.
///
/// Not for use by several threads at once: the first expression that reads a layer sorts its names.
class Scope {
 public:
  Scope() = default;

  /// A layer over `below`, which must outlive this one and not change while this one is used.
  explicit Scope(const Scope* below) : below_(below) {}

  void set(std::string name, std::string text);
  void set_value(std::string name, ExprValue value);
  /// An absent optional.
  void set_absent(std::string name);

  void reserve(std::size_t names) { values_.reserve(names); }

  /// The value in the topmost layer that has the name, or null.
  const ExprValue* find(const ScopeKey& key) const;

  const ExprValue* find(std::string_view name) const { return find(ScopeKey::of(name)); }

  const Scope* below() const { return below_; }

  /// Names of this layer alone in byte order; valid until the layer changes.
  const std::vector<std::string_view>& sorted_names() const;
  /// Whether a value in any layer is a lint placeholder (`__argo__internal__placeholder-N`).
  bool has_placeholder() const;

 private:
  struct Hash {
    using is_transparent = void;

    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }

    std::size_t operator()(const ScopeKey& key) const { return key.hash; }
  };

  struct Equal {
    using is_transparent = void;

    bool operator()(std::string_view a, std::string_view b) const { return a == b; }

    bool operator()(const ScopeKey& a, std::string_view b) const { return a.name == b; }

    bool operator()(std::string_view a, const ScopeKey& b) const { return a == b.name; }
  };

  const Scope* below_ = nullptr;
  std::unordered_map<std::string, ExprValue, Hash, Equal> values_;
  std::size_t placeholders_ = 0;
  mutable std::vector<std::string_view> sorted_;
  mutable bool is_sorted_ = true;
};

/// What expressions see of a scope: its names unfolded at the dots into nested maps. A name that
/// others continue ("a" beside "a.b") is hidden by them. Names of `functions` come first.
/// Everything is looked up when asked for. Refers to both arguments.
class ScopeEnvironment final : public ExprEnvironment {
 public:
  enum class Nil { keep, hide };

  ScopeEnvironment(const Scope& scope, const ExprEnvironment& functions, Nil nil = Nil::keep)
      : scope_(scope), functions_(functions), nil_(nil) {}

  std::optional<ExprValue> lookup(std::string_view name) const override;
  std::vector<std::string> names() const override;
  /// Whether a dotted path leads to a value; nil counts as one, but nothing lies below it.
  bool has(std::string_view path) const;

 private:
  const Scope& scope_;
  const ExprEnvironment& functions_;
  Nil nil_;
};

/// The whole scope unfolded into one map (upstream's expand.Expand).
ExprValue expand_scope(const Scope& scope);

}  // namespace tiphys::lang
