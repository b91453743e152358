#include "kube/merge/patch_place.h"

namespace tiphys::kube {
namespace {

std::string_view go_kind_of(doc::SchemaKind kind) {
  switch (kind) {
    case doc::SchemaKind::map:
      return "map";
    case doc::SchemaKind::any:
      return "interface";
    case doc::SchemaKind::text:
      return "string";
    case doc::SchemaKind::list:
    case doc::SchemaKind::bytes:
      return "slice";
    case doc::SchemaKind::boolean:
      return "bool";
    case doc::SchemaKind::integer:
      return "int64";
    case doc::SchemaKind::number:
      return "float64";
    default:
      return "struct";
  }
}

PatchPlace place_of(const doc::Shape& shape) {
  const doc::SchemaKind kind = shape.kind();
  return {kind == doc::SchemaKind::structure ? shape.type() : nullptr, go_kind_of(kind)};
}

Result<const doc::Field*> field_of(const PatchPlace& place, std::string_view member) {
  if (place.type == nullptr && place.go_kind != "struct") {
    return fail(ErrorCode::invalid,
                "merging an object in json but data type is not struct, instead is: " +
                    std::string(place.go_kind));
  }
  const doc::Field* field = place.type == nullptr ? nullptr : place.type->field(member);
  if (field == nullptr) {
    const std::string name = place.type == nullptr ? "" : place.type->name();
    return fail(ErrorCode::invalid, "unable to find api field in struct " + name +
                                        " for the json field \"" + std::string(member) + "\"");
  }
  return field;
}

PatchRule rule_from(const doc::Field& field) {
  PatchRule rule;
  std::string_view rest = field.patch_strategy;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (word == "retainKeys") {
      rule.retain_keys = true;
    } else {
      rule.strategy = word == "merge" ? PatchStrategy::merge : PatchStrategy::replace;
    }
  }
  rule.merge_key = std::string(field.patch_merge_key);
  return rule;
}

}  // namespace

Result<PatchRule> rule_of_object(const PatchPlace& place, std::string_view member) {
  TRY(const doc::Field* field, field_of(place, member));
  PatchRule rule = rule_from(*field);
  rule.place = place_of(*field->shape);
  return rule;
}

Result<PatchRule> rule_of_list(const PatchPlace& place, std::string_view member) {
  TRY(const doc::Field* field, field_of(place, member));
  const doc::Shape& shape = *field->shape;
  PatchRule rule = rule_from(*field);
  if (shape.elements() != nullptr && shape.kind() == doc::SchemaKind::list) {
    rule.place = place_of(*shape.elements());
    if (rule.place.go_kind == "slice") {
      return fail(ErrorCode::invalid, "unexpected slice of slice");
    }
    return rule;
  }
  if (shape.kind() != doc::SchemaKind::list) {
    return fail(ErrorCode::invalid,
                "expected slice or array type, but got: " + std::string(go_kind_of(shape.kind())));
  }
  rule.place = {nullptr, "interface"};
  return rule;
}

}  // namespace tiphys::kube
