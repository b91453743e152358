#include "kube/object.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::kube {
namespace {

/// The text at `key` of an optional mapping; empty when absent or null.
Result<std::string> optional_text(const doc::Value* parent, std::string_view path,
                                  std::string_view key) {
  const doc::Value* member = parent == nullptr ? nullptr : doc::find(*parent, key);
  if (member == nullptr || member->is_null()) {
    return std::string();
  }
  if (!member->is_string()) {
    const std::string where = std::string(path) + std::string(key);
    return std::unexpected(
        Error{ErrorCode::invalid, where + " must be text", {{where, "must be text", {}}}});
  }
  return std::string(doc::text_of(member->get_string()));
}

}  // namespace

std::string describe(const ObjectKey& key) { return key.kind + " \"" + key.name + "\""; }

std::optional<std::string_view> find_label(const Labels& labels, std::string_view key) {
  const auto found = std::ranges::lower_bound(
      labels, key, {}, [](const Label& label) { return std::string_view(label.key); });
  if (found == labels.end() || found->key != key) {
    return std::nullopt;
  }
  return found->value;
}

ObjectRef Object::from_document(ObjectHeader header, doc::Value document) {
  auto object = std::make_shared<Object>(Private{}, std::move(header));
  std::call_once(object->document_once_, [&] { object->document_ = std::move(document); });
  return object;
}

ObjectRef Object::from_bytes(ObjectHeader header, std::string bytes) {
  auto object = std::make_shared<Object>(Private{}, std::move(header));
  std::call_once(object->bytes_once_, [&] { object->bytes_ = std::move(bytes); });
  return object;
}

std::string_view Object::annotation(std::string_view key) const {
  const doc::Value* metadata = doc::find(document(), "metadata");
  const doc::Value* annotations =
      metadata == nullptr ? nullptr : doc::find(*metadata, "annotations");
  return annotations == nullptr ? std::string_view() : doc::find_string(*annotations, key);
}

const doc::Value& Object::document() const {
  std::call_once(document_once_, [this] {
    if (auto parsed = doc::parse_json(bytes_)) {
      document_ = std::move(*parsed);
    }
  });
  return document_;
}

const std::string& Object::bytes() const {
  std::call_once(bytes_once_, [this] { bytes_ = doc::to_json(document_); });
  return bytes_;
}

Result<ObjectKey> key_of(const doc::Value& document) {
  ObjectKey key;
  TRY(key.kind, optional_text(&document, "", "kind"));
  if (key.kind.empty()) {
    return fail(ErrorCode::invalid, "the object has no kind");
  }
  const doc::Value* metadata = doc::find(document, "metadata");
  TRY(key.namespace_, optional_text(metadata, "metadata.", "namespace"));
  TRY(key.name, optional_text(metadata, "metadata.", "name"));
  if (key.name.empty()) {
    TRY(const std::string base, optional_text(metadata, "metadata.", "generateName"));
    if (base.empty()) {
      return fail(ErrorCode::invalid,
                  key.kind + ": metadata.name: name or generateName is required");
    }
  }
  return key;
}

Result<Labels> labels_of(const doc::Value& document) {
  const doc::Value* metadata = doc::find(document, "metadata");
  const doc::Value* labels = metadata == nullptr ? nullptr : doc::find(*metadata, "labels");
  Labels sorted;
  if (labels == nullptr || labels->is_null()) {
    return sorted;
  }
  if (!labels->is_object()) {
    return fail(ErrorCode::invalid, "metadata.labels must be a mapping");
  }
  for (const auto& member : labels->get_object()) {
    const std::string key(member.key());
    if (!member.value().is_string()) {
      return fail(ErrorCode::invalid, "metadata.labels." + key + " must be text");
    }
    sorted.push_back({key, std::string(doc::text_of(member.value().get_string()))});
  }
  std::ranges::sort(sorted, {}, &Label::key);
  return sorted;
}

}  // namespace tiphys::kube
