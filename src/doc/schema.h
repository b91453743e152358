#pragma once
/// The schema engine: API types as data. A `Schema` finds types by reference ("core/v1.Pod") in
/// files of facts (schemas/, whose format schemas/README.md explains); a `Type` lists its fields; a
/// `Shape` says what stands at a place: a field's value, a list's elements, a map's values.
/// Files are read and types are built when they are first asked for, so a program pays for what it
/// uses. A Schema may be used by many threads; Types and Shapes are immutable and live as long as
/// the Schema. What a document violates is told by `validate` (doc/validate.h).

#include "base/error.h"
#include "doc/json.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::doc {

class Schema;
class Type;

enum class SchemaKind {
  /// Anything at all.
  any,
  text,
  /// Base64 text.
  bytes,
  boolean,
  integer,
  number,
  list,
  map,
  /// A struct with fields: see Type.
  structure,
  quantity,
  int_or_string,
  time,
  micro_time,
  duration,
  /// An object with any members.
  object,
  /// A text that may be written as a number or a boolean.
  any_string,
  /// A number, which upstream's decoder does not insist on.
  amount,
  /// An object with exactly one member.
  plugin,
};

/// What may stand at a place.
class Shape {
 public:
  /// Facts of the place: a field of a type, or its "items" or "map".
  Shape(const Schema& schema, std::string_view home, const Object& facts);
  ~Shape();
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;

  SchemaKind kind() const;
  /// The type that a struct or a scalar refers to; null for plain JSON types.
  const Type* type() const;

  /// Elements of a list or values of a map; null else.
  const Shape* elements() const { return elements_.get(); }

  /// Integers of 32 bits; all others have 64.
  bool is_32_bit() const { return is_32_bit_; }

  /// Any other fact by its name in the file, e.g. "pattern", "enum", "default"; null when absent.
  const Value* fact(std::string_view name) const;
  /// A fact that is a text, or an empty view.
  std::string_view text_fact(std::string_view name) const;
  /// The type as Go writes it: "[]string", "v1.Container".
  std::string go_type() const;

 private:
  const Schema& schema_;
  const Object& facts_;
  std::string home_;
  std::string reference_;
  SchemaKind plain_kind_ = SchemaKind::any;
  bool is_32_bit_ = false;
  std::unique_ptr<Shape> elements_;
  mutable std::atomic<const Type*> type_ = nullptr;
};

/// A member of a struct. Members of inlined structs are fields of the struct that inlines them.
struct Field {
  std::string name;
  std::unique_ptr<Shape> shape;
  bool required = false;
  bool omit_empty = false;
  /// Strategic merge of lists and objects: "merge", "replace", "retainKeys", joined by commas.
  std::string_view patch_strategy;
  std::string_view patch_merge_key;
  /// The path by which Go's decoder names it: with the names of the structs that inline it,
  /// "VolumeSource.emptyDir".
  std::string go_path;
  /// One sentence for users; may be empty.
  std::string_view description;
};

class Type {
 public:
  /// The name within its file, which is the Go name.
  const std::string& name() const { return name_; }

  /// The id of its file, "core/v1".
  const std::string& home() const { return home_; }

  SchemaKind kind() const { return kind_; }

  /// In the order of declaration; inlined ones where they are inlined.
  const std::vector<Field>& fields() const { return fields_; }

  /// The field `name`, or null.
  const Field* field(std::string_view name) const;

  /// Scalars that are lists (parallel steps): the elements; else null.
  const Shape* elements() const { return elements_.get(); }

  /// Any other fact of the type; null when absent.
  const Value* fact(std::string_view name) const;

 private:
  friend class Schema;

  std::string name_;
  std::string home_;
  SchemaKind kind_ = SchemaKind::any;
  const Object* facts_ = nullptr;
  std::vector<Field> fields_;
  std::vector<const Field*> by_name_;
  std::unique_ptr<Shape> elements_;
};

/// The text of the file with this id ("core/v1", "workflows/v1alpha1"), or an empty view. It must
/// stay valid.
using SchemaSource = std::function<std::string_view(std::string_view id)>;

class Schema {
 public:
  explicit Schema(SchemaSource source);
  ~Schema();
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  /// The type "core/v1.Pod", or null when there is none. A file that is no valid schema is a bug
  /// and aborts.
  const Type* find(std::string_view reference) const;
  /// The type of objects with this apiVersion and kind, or null. Several files can have types of
  /// one group: `candidates_for` names their ids.
  const Type* of_kind(std::string_view api_version, std::string_view kind) const;

  /// Ids of the files that may hold types of an apiVersion.
  static std::vector<std::string> candidates_for(std::string_view api_version);

 private:
  struct Impl;

  const Object* types_of(std::string_view id) const;
  const Type* build(const std::string& reference) const;
  void add_fields(Type& type, const Value& fields, std::string_view home,
                  const std::string& go_prefix) const;

  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::doc
