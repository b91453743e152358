#pragma once
/// Objects of the API. Three nouns: `ObjectKey`, which object; `Object`, one version of it, which
/// never changes; `ObjectRef`, a shared hold on a version. An object exists as a document and as
/// its JSON text; whichever was not there at first is made once, when first asked for. Versions may
/// be read from any thread.

#include "async/clock.h"
#include "base/error.h"
#include "doc/json.h"

#include <compare>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::kube {

/// The `kind` of the manifest ("Pod", "Workflow"), its namespace (empty: cluster-scoped) and name.
struct ObjectKey {
  std::string kind;
  std::string namespace_;
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
};

/// How messages name an object: `Pod "hello"`.
std::string describe(const ObjectKey& key);

/// Counts the writes of a store; an object carries that of its last write as its resourceVersion.
/// Zero: none.
using Revision = std::uint64_t;

struct Label {
  std::string key;
  std::string value;
  auto operator<=>(const Label&) const = default;
};

/// Sorted by key, each key once.
using Labels = std::vector<Label>;

/// The value of a label, if there.
std::optional<std::string_view> find_label(const Labels& labels, std::string_view key);

/// What is known of an object without its document.
struct ObjectHeader {
  ObjectKey key;
  std::string uid = {};
  Revision resource_version = 0;
  async::TimePoint creation_time = {};
  Labels labels = {};
};

class Object;
using ObjectRef = std::shared_ptr<const Object>;

class Object final {
  struct Private {};

 public:
  /// The header must say what the document says.
  static ObjectRef from_document(ObjectHeader header, doc::Value document);
  /// The text is JSON. Should it not be, the document is null.
  static ObjectRef from_bytes(ObjectHeader header, std::string bytes);

  Object(Private, ObjectHeader header) : header_(std::move(header)) {}

  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const ObjectKey& key() const { return header_.key; }

  const std::string& uid() const { return header_.uid; }

  Revision resource_version() const { return header_.resource_version; }

  async::TimePoint creation_time() const { return header_.creation_time; }

  const Labels& labels() const { return header_.labels; }

  std::optional<std::string_view> label(std::string_view key) const {
    return find_label(header_.labels, key);
  }

  /// The value of an annotation; empty when there is none.
  std::string_view annotation(std::string_view key) const;

  const doc::Value& document() const;
  /// Compact JSON, members in the order of the document.
  const std::string& bytes() const;

 private:
  const ObjectHeader header_;
  mutable std::once_flag document_once_;
  mutable std::once_flag bytes_once_;
  mutable doc::Value document_;
  mutable std::string bytes_;
};

/// Kind, namespace and name of a manifest; the name is empty where `metadata.generateName` is to
/// make one. Errors invalid: no kind, neither name nor generateName, or not text.
Result<ObjectKey> key_of(const doc::Value& document);
/// `metadata.labels`. Error invalid: not a mapping of text to text.
Result<Labels> labels_of(const doc::Value& document);

}  // namespace tiphys::kube
