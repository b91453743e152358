#pragma once
/// What is behind an ExprValue. Private to the module.

#include "lang/expr/value.h"

#include <unordered_map>

namespace tiphys::lang {

struct ListPart {
  ExprList items;
  /// Of kind list: []element or [n]element.
  ExprType type;
  /// A Go slice that is nil: empty, equal to nil, null in JSON.
  bool nil = false;
  std::size_t depth = 1;
};

struct MapPart {
  std::shared_ptr<const ExprMap> map;
  ExprType type;
  std::size_t depth = 1;
};

struct AnyMapPart {
  std::vector<std::pair<ExprValue, ExprValue>> entries;
  /// Places in `entries` by hash_key().
  std::unordered_map<std::string, std::size_t> index;
  ExprType type;
  std::size_t depth = 1;
};

/// An ExprMap over a table.
class TableMap final : public ExprMap {
 public:
  explicit TableMap(ExprEntries entries) : entries_(std::move(entries)) {}

  std::optional<ExprValue> find(std::string_view key) const override;

  std::size_t size() const override { return entries_.size(); }

  void each(const std::function<bool(std::string_view key, const ExprValue& value)>& visit)
      const override;

 private:
  ExprEntries entries_;
};

/// The door from the module to the parts.
struct ExprParts {
  static const ListPart& list(const ExprValue& value) {
    return *static_cast<const ListPart*>(value.part_.get());
  }

  static const AnyMapPart* any_map(const ExprValue& value);
  static ExprType map_type(const ExprValue& value);
  static ExprValue make(ListPart part);
  static ExprValue make(AnyMapPart part);
};

/// []byte
ExprValue bytes_value(std::string_view bytes);
/// The bytes of a []byte, or nothing when the value is something else.
std::optional<std::string> bytes_of(const ExprValue& value);
/// A nil slice of that element type.
ExprValue nil_list(ExprType element = ExprKind::any);
/// The zero value of a Go type.
ExprValue zero_value(const ExprType& type);
/// A text equal for equal map keys of the same Go type; nothing when Go cannot hash the value.
std::optional<std::string> hash_key(const ExprValue& value);
/// Go's reflect.Kind in words: "int", "slice", "struct", "invalid".
std::string_view kind_name(const ExprValue& value);
/// Go's %T: "<nil>" for nil.
std::string type_text(const ExprValue& value);
/// Nil, or a nil slice.
bool is_nil(const ExprValue& value);
/// Appends the %v of a value; stops once `out` is longer than `limit`.
void append_text(std::string& out, const ExprValue& value, std::size_t limit);

}  // namespace tiphys::lang
