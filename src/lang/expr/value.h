#pragma once
/// The values of the expression language. Expressions were made for Go programs, so a value carries
/// its Go type: `1` is an int, `1.0` a float64, a Kubernetes integer an int64, and operations give
/// results and errors by these types. An `ExprValue` is 32 bytes; lists, maps, texts and functions
/// are shared and immutable, so a copy is cheap. An `ExprType` is such a Go type.

#include "base/error.h"
#include "doc/json.h"
#include "lang/gotime/gotime.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiphys::lang {

class ExprValue;
class ExprObject;
class ExprRun;
struct ExprParts;

/// The shapes of Go types that occur. `any` is interface{}; it is the type of an expression whose
/// type is not known before it runs, and never that of a value.
enum class ExprKind : std::uint8_t {
  any,
  nil,
  boolean,
  int_,
  int8,
  int16,
  int32,
  int64,
  uint,
  uint8,
  uint16,
  uint32,
  uint64,
  float32,
  float64,
  string,
  list,
  map,
  time,
  duration,
  function,
  object,
};

/// A Go type. Copies share their parts.
class ExprType {
 public:
  ExprType() = default;

  ExprType(ExprKind kind) : kind_(kind) {}  // NOLINT: a kind alone is the type of most values

  /// []element
  static ExprType list_of(ExprType element);
  /// map[key]element
  static ExprType map_of(ExprType key, ExprType element);
  static ExprType function(std::vector<ExprType> parameters, bool variadic,
                           std::vector<ExprType> results);
  /// [length]element, an array: what toPairs() makes.
  static ExprType array_of(ExprType element, std::size_t length);
  /// The type of an object; `prototype` answers what fields there are.
  static ExprType object(std::shared_ptr<const ExprObject> prototype);

  ExprKind kind() const { return kind_; }

  bool is_integer() const { return kind_ >= ExprKind::int_ && kind_ <= ExprKind::uint64; }

  bool is_float() const { return kind_ == ExprKind::float32 || kind_ == ExprKind::float64; }

  bool is_number() const { return is_integer() || is_float(); }

  /// Of lists and maps; `any` where nothing else was said.
  ExprType element() const;
  /// Of maps; `string` where nothing else was said.
  ExprType key() const;
  const std::vector<ExprType>& parameters() const;
  const std::vector<ExprType>& results() const;
  bool variadic() const;
  /// Of arrays; nothing for slices and other types.
  std::optional<std::size_t> array_length() const;
  /// Of objects: the type of a field, or nothing when there is no such field.
  std::optional<ExprType> field_type(std::string_view name) const;
  /// As Go's %T prints it: "[]interface {}", "map[string]interface {}", "time.Duration".
  std::string go_name() const;
  bool operator==(const ExprType& other) const;

 private:
  struct Parts;
  ExprKind kind_ = ExprKind::any;
  std::shared_ptr<const Parts> parts_;
};

/// A map with text keys. Implement it to present something as a map without building it, as the
/// scope of a template is. Entries never change while a value refers to the map.
class ExprMap {
 public:
  virtual ~ExprMap() = default;
  virtual std::optional<ExprValue> find(std::string_view key) const = 0;
  virtual std::size_t size() const = 0;
  /// In byte order of the keys. Stops when `visit` returns false.
  virtual void each(
      const std::function<bool(std::string_view key, const ExprValue& value)>& visit) const = 0;
};

/// A Go struct or pointer behind an interface, such as an artifact: fields by Go field name, an own
/// JSON form. A method is a field whose value is a function.
class ExprObject {
 public:
  virtual ~ExprObject() = default;
  /// As Go's %T prints it, e.g. "v1alpha1.Artifact"; a leading `*` makes it a pointer.
  virtual std::string go_name() const = 0;
  /// The type of a field before it is read, or nothing when there is no such field.
  virtual std::optional<ExprType> field_type(std::string_view name) const = 0;
  virtual std::optional<ExprValue> field(std::string_view name) const = 0;
  virtual doc::Value to_json() const = 0;
  /// As Go's %v prints it.
  virtual std::string text() const = 0;
};

/// Values that print or marshal to more than this are refused or cut: shared parts can make a small
/// value print without end.
inline constexpr std::size_t kExprTextLimit = 16U << 20U;
/// Lists and maps in lists and maps; deeper values are errors where they are made.
inline constexpr std::size_t kExprDepthLimit = 1000;

using ExprArguments = std::span<const ExprValue>;
/// A function's body. Expensive bodies charge what they make to the run (ExprRun::charge).
using ExprBody = std::function<Result<ExprValue>(ExprRun& run, ExprArguments arguments)>;

/// A function an expression can call. The arguments are checked against `type` before the body
/// runs: those of a type other than `any` have exactly that type.
struct ExprFunction {
  std::string name;
  /// Of kind function; a second result of Go type error is implied.
  ExprType type;
  ExprBody body;
};

using ExprList = std::vector<ExprValue>;
using ExprEntries = std::map<std::string, ExprValue, std::less<>>;

class ExprValue {
 public:
  /// nil.
  ExprValue() = default;
  static ExprValue boolean(bool value);
  /// A Go int.
  static ExprValue integer(std::int64_t value);
  /// One of the sized Go integers; the value is cut to the size as Go's conversion does.
  static ExprValue sized_integer(ExprKind kind, std::int64_t bits);
  static ExprValue number(double value);
  static ExprValue float32(float value);
  static ExprValue string(std::string value);
  /// []interface{}, or []element.
  static ExprValue list(ExprList items, ExprType element = ExprKind::any);
  /// map[string]interface{}, or map[string]element.
  static ExprValue map(ExprEntries entries, ExprType element = ExprKind::any);
  static ExprValue map(std::shared_ptr<const ExprMap> map, ExprType element = ExprKind::any);
  /// map[interface{}]element with keys that need not be text, in the order given.
  static ExprValue any_map(std::vector<std::pair<ExprValue, ExprValue>> entries,
                           ExprType element = ExprKind::any);
  static ExprValue time(Instant value);
  static ExprValue duration(Nanos value);
  static ExprValue function(ExprFunction function);
  static ExprValue object(std::shared_ptr<const ExprObject> object);
  /// As Go's encoding/json decodes into interface{}: every number is a float64.
  static ExprValue from_json(const doc::Value& value);

  ExprKind kind() const { return kind_; }

  bool is_nil() const { return kind_ == ExprKind::nil; }

  bool is_integer() const { return kind_ >= ExprKind::int_ && kind_ <= ExprKind::uint64; }

  bool is_float() const { return kind_ == ExprKind::float32 || kind_ == ExprKind::float64; }

  bool is_number() const { return is_integer() || is_float(); }

  /// The readers below want a value of the matching kind (checked).
  bool as_bool() const;
  /// Any integer kind; a uint64 above the range wraps.
  std::int64_t as_integer() const;
  /// Any number, converted as Go's float64(x).
  double as_number() const;
  std::string_view as_string() const;
  const ExprList& as_list() const;
  const Instant& as_time() const;
  Nanos as_duration() const;
  const ExprFunction& as_function() const;
  const std::shared_ptr<const ExprObject>& as_object() const;
  /// The entries of a map with text keys; null for an any_map.
  const ExprMap* as_map() const;
  /// The entries of an any_map; null for other maps.
  const std::vector<std::pair<ExprValue, ExprValue>>* as_any_map() const;

  ExprType type() const;
  /// What type() of the language says: "int", "float", "array", "map", "nil", "time.Time" ...
  std::string type_name() const;
  /// As Go's %v prints it: what string() of the language gives. Ends after kExprTextLimit bytes.
  std::string text() const;
  /// Go's json.Marshal and back. Errors (invalid) carry Go's text: `json: unsupported value: NaN`,
  /// `json: unsupported type: func(string) string`.
  Result<doc::Value> to_json() const;
  /// Go's json.Marshal with sorted keys and escaped HTML characters. `indent` spaces a level, 0 =
  /// compact.
  Result<std::string> to_json_text(int indent = 0) const;
  /// The notation of the conformance tables: `1`, `1.0`, `int64(1)`, `"s"`, `[..]`, `{"k": v}`,
  /// `time("..")`, `duration(1h0m0s)`, `func`.
  std::string typed_text() const;
  /// Go's reflect.DeepEqual: types count, int(1) and float64(1) differ.
  bool deep_equal(const ExprValue& other) const;
  /// How deep lists and maps are nested in it; 0 for everything else. Maps of the host count as 1.
  std::size_t depth() const;

 private:
  friend struct ExprParts;

  union Scalar {
    bool boolean;
    std::int64_t integer;
    double number;
  };

  ExprValue(ExprKind kind, Scalar scalar) : kind_(kind), scalar_(scalar) {}

  ExprValue(ExprKind kind, std::shared_ptr<const void> part)
      : kind_(kind), scalar_{.integer = 0}, part_(std::move(part)) {}

  ExprKind kind_ = ExprKind::nil;
  Scalar scalar_{.integer = 0};
  /// What is behind text, list, map, time, function and object.
  std::shared_ptr<const void> part_;
};

}  // namespace tiphys::lang
