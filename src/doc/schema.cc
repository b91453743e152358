#include "doc/schema.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

namespace tiphys::doc {
namespace {

struct KindName {
  std::string_view name;
  SchemaKind kind;
};

constexpr std::array kPlainKinds = {
    KindName{"string", SchemaKind::text},     KindName{"boolean", SchemaKind::boolean},
    KindName{"integer", SchemaKind::integer}, KindName{"number", SchemaKind::number},
    KindName{"array", SchemaKind::list},      KindName{"object", SchemaKind::map},
    KindName{"any", SchemaKind::any},
};

constexpr std::array kScalarKinds = {
    KindName{"quantity", SchemaKind::quantity},
    KindName{"intOrString", SchemaKind::int_or_string},
    KindName{"int64OrString", SchemaKind::int_or_string},
    KindName{"time", SchemaKind::time},
    KindName{"microTime", SchemaKind::micro_time},
    KindName{"duration", SchemaKind::duration},
    KindName{"rawExtension", SchemaKind::object},
    KindName{"fieldsV1", SchemaKind::object},
    KindName{"rawObject", SchemaKind::object},
    KindName{"anyString", SchemaKind::any_string},
    KindName{"amount", SchemaKind::amount},
    KindName{"plugin", SchemaKind::plugin},
    KindName{"parallelSteps", SchemaKind::list},
};

template <std::size_t Size>
SchemaKind kind_named(const std::array<KindName, Size>& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &KindName::name);
  return found == table.end() ? SchemaKind::any : found->kind;
}

const Value* member_of(const Object& object, std::string_view name) {
  return object.if_contains({name.data(), name.size()});
}

std::string_view text_member(const Object& object, std::string_view name) {
  const Value* value = member_of(object, name);
  return value != nullptr && value->is_string() ? text_of(value->get_string()) : std::string_view();
}

bool flag_member(const Object& object, std::string_view name) {
  const Value* value = member_of(object, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

/// "core/v1.Pod" as it is, "Pod" within its own file.
std::string full_reference(std::string_view reference, std::string_view home) {
  if (reference.find('.') != std::string_view::npos) {
    return std::string(reference);
  }
  return std::string(home) + "." + std::string(reference);
}

std::string go_package_of(const Type& type) {
  switch (type.kind()) {
    case SchemaKind::quantity:
      return "resource";
    case SchemaKind::int_or_string:
      return "intstr";
    default:
      return type.home() == "util" ? "runtime" : type.home().substr(type.home().find('/') + 1);
  }
}

}  // namespace

Shape::Shape(const Schema& schema, std::string_view home, const Object& facts)
    : schema_(schema), facts_(facts), home_(home) {
  if (const auto reference = text_member(facts, "ref"); !reference.empty()) {
    reference_ = full_reference(reference, home);
    plain_kind_ = SchemaKind::structure;
    return;
  }
  const auto format = text_member(facts, "format");
  plain_kind_ = kind_named(kPlainKinds, text_member(facts, "type"));
  is_32_bit_ = format == "int32";
  if (plain_kind_ == SchemaKind::text && format == "byte") {
    plain_kind_ = SchemaKind::bytes;
  }
  const Value* elements = member_of(facts, plain_kind_ == SchemaKind::list ? "items" : "map");
  if (elements != nullptr && elements->is_object()) {
    elements_ = std::make_unique<Shape>(schema, home, elements->get_object());
  } else if (plain_kind_ == SchemaKind::map) {
    plain_kind_ = SchemaKind::object;
  }
}

Shape::~Shape() = default;

const Type* Shape::type() const {
  if (reference_.empty()) {
    return nullptr;
  }
  const Type* type = type_.load(std::memory_order_acquire);
  if (type == nullptr) {
    type = schema_.find(reference_);
    CHECK(type != nullptr, "schema refers to a type that is not there: " + reference_);
    type_.store(type, std::memory_order_release);
  }
  return type;
}

SchemaKind Shape::kind() const { return reference_.empty() ? plain_kind_ : type()->kind(); }

const Value* Shape::fact(std::string_view name) const { return member_of(facts_, name); }

std::string_view Shape::text_fact(std::string_view name) const { return text_member(facts_, name); }

std::string Shape::go_type() const {
  if (const Type* target = type()) {
    return go_package_of(*target) + "." + target->name();
  }
  switch (plain_kind_) {
    case SchemaKind::text:
      if (const auto alias = text_fact("alias"); !alias.empty()) {
        const bool foreign = alias.find('.') != std::string_view::npos;
        return (foreign ? "" : home_.substr(home_.find('/') + 1) + ".") + std::string(alias);
      }
      return "string";
    case SchemaKind::bytes:
      return "[]uint8";
    case SchemaKind::boolean:
      return "bool";
    case SchemaKind::integer:
      return is_32_bit_ ? "int32" : text_fact("format") == "int64" ? "int64" : "int";
    case SchemaKind::number:
      return "float64";
    case SchemaKind::list:
      return "[]" + (elements_ ? elements_->go_type() : "interface {}");
    case SchemaKind::map:
      // Maps of quantities have a name in all of the Kubernetes API.
      if (elements_ && elements_->kind() == SchemaKind::quantity) {
        return "v1.ResourceList";
      }
      return "map[string]" + (elements_ ? elements_->go_type() : "interface {}");
    default:
      return "interface {}";
  }
}

const Field* Type::field(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      by_name_, name, {}, [](const Field* field) { return std::string_view(field->name); });
  return found != by_name_.end() && (*found)->name == name ? *found : nullptr;
}

const Value* Type::fact(std::string_view name) const { return member_of(*facts_, name); }

struct Schema::Impl {
  SchemaSource source;
  std::recursive_mutex mutex;
  /// Files by id; null for those that the source does not have.
  std::map<std::string, std::unique_ptr<Value>, std::less<>> files;
  std::map<std::string, std::unique_ptr<Type>, std::less<>> types;
};

Schema::Schema(SchemaSource source) : impl_(std::make_unique<Impl>()) {
  impl_->source = std::move(source);
}

Schema::~Schema() = default;

const Object* Schema::types_of(std::string_view id) const {
  auto file = impl_->files.find(id);
  if (file == impl_->files.end()) {
    file = impl_->files.emplace(std::string(id), nullptr).first;
    if (const auto text = impl_->source(id); !text.empty()) {
      auto parsed = parse_json(text);
      CHECK(parsed, "schema file " + std::string(id) + ": " + parsed.error().message);
      file->second = std::make_unique<Value>(*std::move(parsed));
    }
  }
  const Value* types = file->second ? doc::find(*file->second, "types") : nullptr;
  return types == nullptr ? nullptr : types->if_object();
}

void Schema::add_fields(Type& type, const Value& fields, std::string_view home,
                        const std::string& go_prefix) const {
  for (const Value& value : fields.as_array()) {
    const Object& facts = value.as_object();
    const auto reference = text_member(facts, "ref");
    if (flag_member(facts, "inline")) {
      const Type* inlined = find(full_reference(reference, home));
      CHECK(inlined != nullptr,
            "schema inlines a type that is not there: " + std::string(reference));
      const Value* inlined_fields = inlined->fact("fields");
      if (inlined_fields != nullptr) {
        add_fields(type, *inlined_fields, inlined->home(),
                   go_prefix + std::string(text_member(facts, "name")) + ".");
      }
      continue;
    }
    type.fields_.push_back({.name = std::string(text_member(facts, "name")),
                            .shape = std::make_unique<Shape>(*this, home, facts),
                            .required = flag_member(facts, "required"),
                            .omit_empty = flag_member(facts, "omitempty"),
                            .patch_strategy = text_member(facts, "patchStrategy"),
                            .patch_merge_key = text_member(facts, "patchMergeKey"),
                            .go_path = go_prefix + std::string(text_member(facts, "name")),
                            .description = text_member(facts, "doc")});
  }
}

const Type* Schema::build(const std::string& reference) const {
  const std::size_t dot = reference.rfind('.');
  if (dot == std::string::npos) {
    return nullptr;
  }
  const std::string home = reference.substr(0, dot);
  const std::string name = reference.substr(dot + 1);
  const Object* types = types_of(home);
  const Value* entry = types == nullptr ? nullptr : member_of(*types, name);
  if (entry == nullptr || !entry->is_object()) {
    return nullptr;
  }
  const Object& facts = entry->get_object();
  auto type = std::make_unique<Type>();
  type->name_ = name;
  type->home_ = home;
  type->facts_ = &facts;
  if (const auto scalar = text_member(facts, "scalar"); !scalar.empty()) {
    type->kind_ = kind_named(kScalarKinds, scalar);
    if (type->kind_ == SchemaKind::list) {
      type->elements_ =
          std::make_unique<Shape>(*this, home, member_of(facts, "items")->as_object());
    }
  } else if (const Value* fields = member_of(facts, "fields")) {
    type->kind_ = SchemaKind::structure;
    add_fields(*type, *fields, home, "");
    for (const Field& field : type->fields_) {
      type->by_name_.push_back(&field);
    }
    std::ranges::sort(type->by_name_, {},
                      [](const Field* field) { return std::string_view(field->name); });
  } else {
    type->kind_ = kind_named(kPlainKinds, text_member(facts, "type"));
  }
  return (impl_->types[reference] = std::move(type)).get();
}

const Type* Schema::find(std::string_view reference) const {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->types.find(reference);
  return found != impl_->types.end() ? found->second.get() : build(std::string(reference));
}

std::vector<std::string> Schema::candidates_for(std::string_view api_version) {
  if (api_version == "v1") {
    return {"core/v1", "meta/v1"};
  }
  if (api_version == "argoproj.io/v1alpha1") {
    return {"workflows/v1alpha1", "cd/v1alpha1", "rollouts/v1alpha1", "events/v1alpha1"};
  }
  return {std::string(api_version)};
}

const Type* Schema::of_kind(std::string_view api_version, std::string_view kind) const {
  const std::string declaration = "\"" + std::string(kind) + "\":{\"kind\":true";
  for (const std::string& id : candidates_for(api_version)) {
    // Searching the text spares parsing the files that do not have the kind.
    if (impl_->source(id).find(declaration) == std::string_view::npos) {
      continue;
    }
    if (const Type* type = find(id + "." + std::string(kind))) {
      return type;
    }
  }
  return nullptr;
}

}  // namespace tiphys::doc
