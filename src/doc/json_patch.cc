#include "doc/json_patch.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tiphys::doc {
namespace {

constexpr std::string_view kMissing = "missing value";

std::unexpected<Error> failure(std::string message) {
  return fail(ErrorCode::invalid, std::move(message));
}

/// "~1" is a slash, then "~0" a tilde; other tildes stand for themselves.
std::string decode_key(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '~' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == '0' || next == '1') {
      out += next == '0' ? '~' : '/';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// strconv.Atoi.
Result<std::int64_t> parse_index(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);
  const bool second_sign = digits.size() < text.size() && digits.starts_with('-');
  std::int64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, problem] = std::from_chars(digits.data(), end, number);
  if (problem == std::errc() && stop == end && !second_sign) {
    return number;
  }
  const bool too_large = problem == std::errc::result_out_of_range && stop == end && !second_sign;
  return failure("strconv.Atoi: parsing \"" + std::string(text) +
                 "\": " + (too_large ? "value out of range" : "invalid syntax"));
}

/// The position that an index names in a list that has room for `size` positions.
Result<std::size_t> resolve_index(std::int64_t index, std::size_t size) {
  const auto count = static_cast<std::int64_t>(size);
  if (index >= count || index < -count) {
    return failure("Unable to access invalid index: " + std::to_string(index) +
                   ": invalid index referenced");
  }
  return static_cast<std::size_t>(index < 0 ? index + count : index);
}

/// A member or an element: the object or list that holds it, and its key there.
class Place {
 public:
  /// Follows all but the last part of a path; nothing when that leads nowhere.
  static std::optional<Place> find(Value& document, std::string_view path) {
    const std::size_t last = path.rfind('/');
    if (last == std::string_view::npos) {
      return std::nullopt;
    }
    Value* container = &document;
    std::string_view rest = path.substr(0, last);
    // What stands before the first slash is not looked at.
    rest.remove_prefix(std::min(rest.find('/'), rest.size()));
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::string_view part = rest.substr(0, rest.find('/'));
      rest.remove_prefix(part.size());
      const auto next = Place(*container, decode_key(part)).get();
      if (!next || *next == nullptr || !((*next)->is_object() || (*next)->is_array())) {
        return std::nullopt;
      }
      container = *next;
    }
    return Place(*container, decode_key(path.substr(last + 1)));
  }

  /// The value; null for a member that is not there. Errors: for lists without such an element.
  Result<Value*> get() const {
    if (container_->is_object()) {
      return container_->get_object().if_contains(key_);
    }
    Array& array = container_->get_array();
    TRY(const std::int64_t index, parse_index(key_));
    TRY(const std::size_t position, resolve_index(index, array.size()));
    return &array[position];
  }

  Result<> add(Value value) const {
    if (container_->is_object()) {
      container_->get_object().insert_or_assign(key_, std::move(value));
      return {};
    }
    Array& array = container_->get_array();
    if (key_ == "-") {
      array.push_back(std::move(value));
      return {};
    }
    const auto index = parse_index(key_);
    if (!index) {
      return failure("value was not a proper array index: '" + key_ +
                     "': " + index.error().message);
    }
    TRY(const std::size_t position, resolve_index(*index, array.size() + 1));
    array.insert(array.begin() + position, std::move(value));
    return {};
  }

  Result<> set(Value value) const {
    if (container_->is_object()) {
      return add(std::move(value));
    }
    TRY(Value* const element, get());
    *element = std::move(value);
    return {};
  }

  Result<> remove() const {
    if (container_->is_object()) {
      if (container_->get_object().erase(key_) == 0) {
        return failure("Unable to remove nonexistent key: " + key_ + ": missing value");
      }
      return {};
    }
    Array& array = container_->get_array();
    TRY(const std::int64_t index, parse_index(key_));
    TRY(const std::size_t position, resolve_index(index, array.size()));
    array.erase(array.begin() + position);
    return {};
  }

  const std::string& key() const { return key_; }

 private:
  Place(Value& container, std::string key) : container_(&container), key_(std::move(key)) {}

  Value* container_;
  std::string key_;
};

class Patcher {
 public:
  Patcher(Value& document, const JsonPatchLimits& limits) : document_(document), limits_(limits) {}

  Result<> apply(const Object& operation) {
    const Value* kind_value = operation.if_contains("op");
    const std::string kind = kind_value != nullptr && kind_value->is_string()
                                 ? std::string(text_of(kind_value->get_string()))
                                 : "unknown";
    const Value* value = operation.if_contains("value");
    if (kind == "add" || kind == "remove" || kind == "replace" || kind == "test") {
      TRY(const std::string path, path_of(operation, kind));
      return kind == "add"      ? add(path, value)
             : kind == "remove" ? remove(path)
             : kind == "test"   ? test(path, value)
                                : replace(path, value);
    }
    if (kind == "move" || kind == "copy") {
      const Value* from = operation.if_contains("from");
      if (from == nullptr || !from->is_string()) {
        return failure(kind + " operation failed to decode from: operation, missing from field: " +
                       std::string(kMissing));
      }
      return transfer(operation, kind, std::string(text_of(from->get_string())));
    }
    return failure("Unexpected kind: " + kind);
  }

 private:
  static Result<std::string> path_of(const Object& operation, const std::string& kind) {
    const Value* path = operation.if_contains("path");
    if (path == nullptr || !path->is_string()) {
      const bool short_form = kind == "add" || kind == "remove" || kind == "copy";
      return failure(kind + " operation failed to decode path: " +
                     (short_form ? "" : "operation missing path field: ") + std::string(kMissing));
    }
    return std::string(text_of(path->get_string()));
  }

  static Value value_or_null(const Value* value) { return value == nullptr ? Value() : *value; }

  static std::unexpected<Error> in_operation(const std::string& kind, const std::string& path,
                                             const Error& error) {
    return failure("error in " + kind + " for path: '" + path + "': " + error.message);
  }

  Result<> add(const std::string& path, const Value* value) {
    const auto place = Place::find(document_, path);
    if (!place) {
      return failure("add operation does not apply: doc is missing path: \"" + path +
                     "\": missing value");
    }
    const auto added = place->add(value_or_null(value));
    return added ? added : in_operation("add", path, added.error());
  }

  Result<> remove(const std::string& path) {
    const auto place = Place::find(document_, path);
    if (!place) {
      return failure("remove operation does not apply: doc is missing path: \"" + path +
                     "\": missing value");
    }
    const auto removed = place->remove();
    return removed ? removed : in_operation("remove", path, removed.error());
  }

  Result<> replace(const std::string& path, const Value* value) {
    if (path.empty()) {
      if (value == nullptr || !(value->is_object() || value->is_array())) {
        return failure("replace operation value must be object or array: %!w(<nil>)");
      }
      document_ = *value;
      return {};
    }
    const auto place = Place::find(document_, path);
    if (!place) {
      return failure("replace operation does not apply: doc is missing path: " + path +
                     ": missing value");
    }
    if (!place->get()) {
      return failure("replace operation does not apply: doc is missing key: " + path +
                     ": missing value");
    }
    return place->set(value_or_null(value));
  }

  Result<> test(const std::string& path, const Value* value) {
    const Value expected = value_or_null(value);
    const auto failed = failure("testing value " + path + " failed: test failed");
    if (path.empty()) {
      return document_ == expected ? Result<>() : failed;
    }
    const auto place = Place::find(document_, path);
    if (!place) {
      return failure("test operation does not apply: is missing path: " + path + ": missing value");
    }
    const auto found = place->get();
    if (!found) {
      return in_operation("test", path, found.error());
    }
    return value_or_null(*found) == expected ? Result<>() : failed;
  }

  /// Moves or copies.
  Result<> transfer(const Object& operation, const std::string& kind, const std::string& from) {
    const bool moves = kind == "move";
    const auto source = Place::find(document_, from);
    if (!source) {
      return failure(kind + " operation does not apply: doc is missing from path: " + from +
                     ": missing value");
    }
    const auto found = source->get();
    if (!found) {
      return failure(moves ? "error in move for path: '" + source->key() +
                                 "': " + found.error().message
                           : "error in copy for from: '" + from + "': " + found.error().message);
    }
    Value value = value_or_null(*found);
    if (moves) {
      const auto removed = source->remove();
      if (!removed) {
        return in_operation("move", source->key(), removed.error());
      }
    }
    TRY(const std::string path, path_of(operation, kind));
    const auto target = Place::find(document_, path);
    if (!target) {
      return failure(kind + " operation does not apply: doc is missing destination path: " + path +
                     ": missing value");
    }
    if (!moves) {
      TRY_VOID(count_copy(value));
    }
    const auto added = target->add(std::move(value));
    if (added) {
      return {};
    }
    return moves ? in_operation("move", path, added.error())
                 : failure("error while adding value during copy: " + added.error().message);
  }

  Result<> count_copy(const Value& value) {
    copied_ += to_json(value).size();
    if (copied_ > limits_.copied_bytes) {
      return failure("Unable to complete the copy, the accumulated size increase of copy is " +
                     std::to_string(copied_) + ", exceeding the limit " +
                     std::to_string(limits_.copied_bytes));
    }
    return {};
  }

  Value& document_;
  const JsonPatchLimits& limits_;
  std::size_t copied_ = 0;
};

/// Whether a document is nested at most `depth` levels deep, so that it can be read again.
bool is_shallow(const Value& value, std::size_t depth) {
  const auto inner = [depth](const Value& child) {
    return depth > 0 && is_shallow(child, depth - 1);
  };
  if (const Array* array = value.if_array()) {
    return std::ranges::all_of(*array, inner);
  }
  if (const Object* object = value.if_object()) {
    return std::ranges::all_of(*object,
                               [&inner](const auto& member) { return inner(member.value()); });
  }
  return true;
}

std::string_view go_kind(const Value& value) {
  return value.is_object()   ? "object"
         : value.is_array()  ? "array"
         : value.is_string() ? "string"
         : value.is_bool()   ? "bool"
                             : "number";
}

}  // namespace

Result<Value> apply_json_patch(Value document, const Value& patch, const JsonPatchLimits& limits) {
  if (!document.is_object() && !document.is_array()) {
    return failure("json: cannot unmarshal " + std::string(go_kind(document)) +
                   " into Go value of type jsonpatch.partialDoc");
  }
  if (patch.is_null()) {
    return document;
  }
  if (!patch.is_array()) {
    return failure("json: cannot unmarshal " + std::string(go_kind(patch)) +
                   " into Go value of type jsonpatch.Patch");
  }
  const Array& operations = patch.get_array();
  if (operations.size() > limits.operations) {
    return failure("The allowed maximum operations in a JSON patch is " +
                   std::to_string(limits.operations) + ", got " +
                   std::to_string(operations.size()));
  }
  Patcher patcher(document, limits);
  for (const Value& operation : operations) {
    if (!operation.is_object()) {
      return failure("json: cannot unmarshal " + std::string(go_kind(operation)) +
                     " into Go value of type jsonpatch.Operation");
    }
    TRY_VOID(patcher.apply(operation.get_object()));
  }
  if (!is_shallow(document, kMaximumDepth)) {
    return failure("the patched document is nested more than " + std::to_string(kMaximumDepth) +
                   " levels deep");
  }
  return document;
}

}  // namespace tiphys::doc
