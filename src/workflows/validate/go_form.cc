#include "workflows/validate/go_form.h"

#include <boost/json.hpp>

#include <algorithm>
#include <vector>

namespace tiphys::workflows {
namespace {

using doc::Array;
using doc::Object;
using doc::SchemaKind;
using doc::Shape;
using doc::Type;
using doc::Value;

boost::json::string_view key_of(std::string_view name) { return {name.data(), name.size()}; }

Value form_of(const Shape& shape, const Value& value);

Array form_of_list(const Shape& elements, const Array& list) {
  Array out;
  out.reserve(list.size());
  for (const Value& element : list) {
    out.push_back(form_of(elements, element));
  }
  return out;
}

/// Members by name; values as `elements` says, or with all their members by name too.
Object sorted(const Object& object, const Shape* elements) {
  std::vector<const Object::value_type*> members;
  members.reserve(object.size());
  for (const auto& member : object) {
    members.push_back(&member);
  }
  std::ranges::sort(members, {}, [](const auto* member) { return member->key(); });
  Object out;
  out.reserve(members.size());
  for (const auto* member : members) {
    out.emplace(member->key(),
                elements == nullptr ? member->value() : form_of(*elements, member->value()));
  }
  return out;
}

/// What Go writes for a field that the document lacks, or nothing.
void add_zero(Object& out, const doc::Field& field) {
  const SchemaKind kind = field.shape->kind();
  const bool pointer = field.shape->fact("pointer") != nullptr;
  if (kind == SchemaKind::structure && !pointer) {
    out.emplace(key_of(field.name), go_form(*field.shape->type(), Value()));
  } else if (!field.omit_empty && kind == SchemaKind::text && !pointer) {
    out.emplace(key_of(field.name), "");
  }
}

Value form_of(const Shape& shape, const Value& value) {
  const Type* type = shape.type();
  const Shape* elements = shape.elements();
  if (elements == nullptr && type != nullptr) {
    elements = type->elements();
  }
  if (value.is_array() && elements != nullptr) {
    return form_of_list(*elements, value.get_array());
  }
  // Go's decoder of texts that may be numbers lets everything else pass, as nothing.
  if (shape.kind() == SchemaKind::any_string && (value.is_object() || value.is_array())) {
    return "";
  }
  if (!value.is_object()) {
    return value;
  }
  if (type != nullptr && shape.kind() == SchemaKind::structure) {
    return go_form(*type, value);
  }
  return sorted(value.get_object(), elements);
}

}  // namespace

Value go_form(const Type& type, const Value& document) {
  Object out;
  const Object* object = document.if_object();
  if (object != nullptr) {
    constexpr std::size_t kLikelyZeros = 2;
    out.reserve(object->size() + kLikelyZeros);
  }
  for (const doc::Field& field : type.fields()) {
    const Value* value = object == nullptr ? nullptr : object->if_contains(key_of(field.name));
    if (value == nullptr || value->is_null()) {
      add_zero(out, field);
    } else {
      out.emplace(key_of(field.name), form_of(*field.shape, *value));
    }
  }
  return out;
}

}  // namespace tiphys::workflows
