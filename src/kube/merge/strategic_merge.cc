#include "kube/merge/strategic_merge.h"

#include "doc/go_text.h"
#include "kube/merge/list_order.h"
#include "kube/merge/strategic_internal.h"

#include <boost/json.hpp>

#include <algorithm>
#include <vector>

namespace tiphys::kube {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

std::vector<std::string> sorted_keys(const Object& object) {
  std::vector<std::string> keys;
  keys.reserve(object.size());
  for (const auto& member : object) {
    keys.emplace_back(member.key());
  }
  std::ranges::sort(keys);
  return keys;
}

Value* find_member(Object& object, std::string_view key) {
  return object.if_contains({key.data(), key.size()});
}

void erase_member(Object& object, std::string_view key) { object.erase({key.data(), key.size()}); }

/// The list that a directive key "<prefix>/<list>" is about.
Result<std::string> list_of_directive(std::string_view key, std::string_view prefix) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos || key.substr(0, slash) != prefix) {
    return fail(ErrorCode::invalid, prefix == kSetElementOrder
                                        ? "invalid patch format of setElementOrder list"
                                        : "invalid patch format of primitive list");
  }
  return std::string(key.substr(slash + 1));
}

/// Takes directives out of a value that nothing is merged with; false when the value itself carries
/// one and must go.
bool remove_directives(Value& value) {
  if (Object* object = value.if_object()) {
    if (object->contains(kDirective)) {
      return false;
    }
    for (const std::string& key : sorted_keys(*object)) {
      if (!remove_directives(*find_member(*object, key))) {
        erase_member(*object, key);
      }
    }
  } else if (Array* array = value.if_array()) {
    Array kept;
    for (Value& element : *array) {
      if (remove_directives(element)) {
        kept.push_back(std::move(element));
      }
    }
    *array = std::move(kept);
  }
  return true;
}

void drop_nulls(Value& value) {
  if (Object* object = value.if_object()) {
    for (const std::string& key : sorted_keys(*object)) {
      Value& member = *find_member(*object, key);
      if (member.is_null()) {
        erase_member(*object, key);
      } else {
        drop_nulls(member);
      }
    }
  } else if (Array* array = value.if_array()) {
    for (Value& element : *array) {
      drop_nulls(element);
    }
  }
}

std::unexpected<Error> unknown_directive(const Value& directive, const Value& object) {
  return fail(ErrorCode::invalid, "unknown patch type: " + doc::go_text(directive) +
                                      " in map: " + doc::go_text(object));
}

class Merger {
 public:
  explicit Merger(const MergeOptions& options) : options_(options) {}

  Result<> merge(Object& original, Object& patch, const PatchPlace& place) {
    if (const Value* directive = patch.if_contains(kDirective)) {
      return obey(*directive, original, patch);
    }
    TRY_VOID(retain_keys(original, patch));
    for (const std::string& key : sorted_keys(patch)) {
      if (key.starts_with(kSetElementOrder)) {
        TRY_VOID(set_element_order(original, patch, key, place));
      }
    }
    for (const std::string& key : sorted_keys(patch)) {
      TRY_VOID(merge_member(original, key, *find_member(patch, key), place));
    }
    return {};
  }

 private:
  static Result<> obey(const Value& directive, Object& original, Object& patch) {
    if (directive == "replace") {
      erase_member(patch, kDirective);
      original = std::move(patch);
      return {};
    }
    if (directive == "delete") {
      original.clear();
      return {};
    }
    return unknown_directive(directive, patch);
  }

  Result<> retain_keys(Object& original, Object& patch) const {
    const Value* found = patch.if_contains(kRetainKeys);
    if (found == nullptr) {
      return {};
    }
    const Value keys = *found;
    erase_member(patch, kRetainKeys);
    if (!options_.apply_directives) {
      const Value* own = original.if_contains(kRetainKeys);
      if (own != nullptr && *own != keys) {
        return fail(ErrorCode::invalid,
                    doc::go_text(*own) + " and " + doc::go_text(keys) +
                        " are not deep equal: this may happen when calculating the 3-way diff "
                        "patch");
      }
      original.insert_or_assign(kRetainKeys, keys);
      return {};
    }
    const auto bad_format = fail(ErrorCode::invalid, "invalid patch format of retainKeys");
    if (!keys.is_array()) {
      return bad_format;
    }
    const auto retained = [&keys](std::string_view key) {
      return index_of(keys.get_array(), Value(boost::json::string(key.data(), key.size())), "") <
             keys.get_array().size();
    };
    for (const auto& member : patch) {
      const std::string_view key = member.key();
      const bool counts = !member.value().is_null() && !key.starts_with(kDeleteFromPrimitiveList) &&
                          !key.starts_with(kSetElementOrder);
      if (counts && !retained(key)) {
        return bad_format;
      }
    }
    for (const std::string& key : sorted_keys(original)) {
      if (!retained(key)) {
        erase_member(original, key);
      }
    }
    return {};
  }

  /// The elements of a patch must come in the order that it asks for.
  static Result<> check_order(const Array& patch, const Array& order, std::string_view merge_key) {
    if (order.empty() || patch.empty()) {
      return {};
    }
    std::size_t next = 0;
    std::size_t unmet = 0;
    for (const Value& element : patch) {
      if (!merge_key.empty() && !element.is_object()) {
        return wrong_argument("map[string]interface {}", element);
      }
      if (doc::find_string(element, kDirective) == "delete" && !merge_key.empty()) {
        continue;
      }
      // Once the order is used up even a directive is too much.
      bool met = doc::find(element, kDirective) != nullptr && next < order.size();
      while (!met && next < order.size()) {
        const Value* wanted = identity_of(element, merge_key);
        const Value* own = identity_of(order[next++], merge_key);
        if (wanted == nullptr || own == nullptr) {
          return no_merge_key(wanted == nullptr ? element : order[next - 1], merge_key);
        }
        met = *wanted == *own;
      }
      unmet += met ? 0 : 1;
    }
    if (unmet > 0) {
      return fail(ErrorCode::invalid, "The order in patch list:\n" + doc::go_text(patch) +
                                          "\n doesn't match $setElementOrder list:\n" +
                                          doc::go_text(order) + "\n");
    }
    return {};
  }

  Result<> set_element_order(Object& original, Object& patch, const std::string& key,
                             const PatchPlace& place) {
    const Value order_value = std::move(*find_member(patch, key));
    erase_member(patch, key);
    if (!options_.apply_directives) {
      const Value* own = find_member(original, key);
      if (own != nullptr && *own != order_value) {
        return fail(ErrorCode::invalid, "invalid patch format of setElementOrder list");
      }
      original.insert_or_assign(key, order_value);
    }
    if (!order_value.is_array()) {
      return wrong_argument("[]interface {}", order_value);
    }
    const Array& order = order_value.get_array();
    TRY(const std::string name, list_of_directive(key, kSetElementOrder));
    Value* own = find_member(original, name);
    Value* wanted = find_member(patch, name);
    for (const Value* list : {own, wanted}) {
      if (list != nullptr && !list->is_array()) {
        return wrong_argument("[]interface {}", *list);
      }
    }
    TRY(const PatchRule rule, rule_of_list(place, name));
    const Array patch_list = wanted == nullptr ? Array() : wanted->get_array();
    TRY_VOID(check_order(patch_list, order, rule.merge_key));
    if (own == nullptr && wanted == nullptr) {
      return {};
    }
    const Array own_list = own == nullptr ? Array() : own->get_array();
    Array merged = own_list;
    if (own == nullptr) {
      remove_directives(*wanted);
      merged = std::move(wanted->get_array());
    } else if (wanted != nullptr) {
      TRY_VOID(merge_list(merged, std::move(wanted->get_array()), rule, false));
    }
    TRY(Partition parts, split_by_order(std::move(merged), order, rule.merge_key));
    TRY_VOID(holds_objects(own_list, patch_list));
    TRY(Array ordered, interleave(std::move(parts.present), std::move(parts.absent), order,
                                  own_list, rule.merge_key));
    original.insert_or_assign(name, std::move(ordered));
    erase_member(patch, name);
    return {};
  }

  Result<> merge_member(Object& original, std::string key, Value& patch, const PatchPlace& place) {
    const bool deletes = key.starts_with(kDeleteFromPrimitiveList);
    if (deletes && !options_.apply_directives) {
      original.insert_or_assign(key, std::move(patch));
      return {};
    }
    if (deletes) {
      TRY(key, list_of_directive(key, kDeleteFromPrimitiveList));
    }
    if (patch.is_null()) {
      erase_member(original, key);
      if (options_.drop_unmatched_nulls) {
        return {};
      }
    }
    Value* own = find_member(original, key);
    if (own == nullptr || go_type_name(*own) != go_type_name(patch)) {
      if (!deletes) {
        take_over(original, key, patch);
      }
      return {};
    }
    if (own->is_object()) {
      TRY(const PatchRule rule, rule_of_object(place, key));
      if (rule.strategy == PatchStrategy::replace) {
        *own = std::move(patch);
        return {};
      }
      return merge(own->get_object(), patch.get_object(), rule.place);
    }
    if (own->is_array()) {
      TRY(const PatchRule rule, rule_of_list(place, key));
      return merge_list(own->get_array(), std::move(patch.get_array()), rule, deletes);
    }
    *own = std::move(patch);
    return {};
  }

  void take_over(Object& original, const std::string& key, Value& patch) const {
    if (options_.drop_unmatched_nulls) {
      drop_nulls(patch);
    }
    if (remove_directives(patch)) {
      original.insert_or_assign(key, std::move(patch));
    } else {
      erase_member(original, key);
    }
  }

  Result<> merge_list(Array& original, Array patch, const PatchRule& rule, bool deletes) {
    if (rule.strategy != PatchStrategy::merge && !deletes) {
      original = std::move(patch);
      return {};
    }
    if (original.empty() && patch.empty()) {
      return {};
    }
    TRY(const bool objects, holds_objects(original, patch));
    if (!objects && deletes && options_.apply_directives) {
      TRY(Partition parts, split_by_order(std::move(original), patch, ""));
      original = std::move(parts.absent);
      return {};
    }
    Array merged = original;
    if (!objects) {
      merged.insert(merged.end(), patch.begin(), patch.end());
      remove_repeated(merged);
    } else {
      if (rule.merge_key.empty()) {
        return fail(ErrorCode::invalid,
                    "cannot merge lists without merge key for " + std::string(rule.place.go_kind));
      }
      TRY_VOID(obey_elements(merged, patch, rule.merge_key));
      original = merged;
      TRY_VOID(merge_elements(merged, patch, rule));
    }
    TRY(Partition parts, split_by_order(std::move(merged), patch, rule.merge_key));
    TRY(original, interleave(std::move(parts.present), std::move(parts.absent), patch, original,
                             rule.merge_key));
    return {};
  }

  /// Carries out elements with `$patch` and takes them out of the patch.
  static Result<> obey_elements(Array& original, Array& patch, std::string_view merge_key) {
    Array plain;
    bool replace = false;
    for (Value& element : patch) {
      const Value* directive = doc::find(element, kDirective);
      if (directive == nullptr) {
        plain.push_back(std::move(element));
      } else if (*directive == "delete") {
        const Value* identity = doc::find(element, merge_key);
        if (identity == nullptr) {
          return no_merge_key(element, merge_key);
        }
        TRY(Partition parts, partition_by(std::move(original), *identity, merge_key));
        original = std::move(parts.absent);
      } else if (*directive == "replace") {
        replace = true;
      } else if (*directive == "merge") {
        return fail(ErrorCode::invalid, "merging lists cannot yet be specified in the patch");
      } else {
        return unknown_directive(*directive, element);
      }
    }
    if (replace) {
      original = std::move(plain);
      patch.clear();
    } else {
      patch = std::move(plain);
    }
    return {};
  }

  /// Elements with this identity, and the others; those without any are others.
  static Result<Partition> partition_by(Array list, const Value& identity,
                                        std::string_view merge_key) {
    Partition parts;
    for (Value& element : list) {
      const Value* own = doc::find(element, merge_key);
      (own != nullptr && *own == identity ? parts.present : parts.absent)
          .push_back(std::move(element));
    }
    return parts;
  }

  Result<> merge_elements(Array& original, const Array& patch, const PatchRule& rule) {
    for (const Value& element : patch) {
      const Value* identity = doc::find(element, rule.merge_key);
      if (identity == nullptr) {
        return no_merge_key(element, rule.merge_key);
      }
      const std::size_t index = index_of(original, *identity, rule.merge_key);
      if (index < original.size()) {
        Object used = element.get_object();
        TRY_VOID(merge(original[index].get_object(), used, rule.place));
      } else {
        original.push_back(element);
      }
    }
    return {};
  }

  const MergeOptions& options_;
};

}  // namespace

Result<> merge_objects(Object& original, Object& patch, const PatchPlace& place,
                       const MergeOptions& options) {
  return Merger(options).merge(original, patch, place);
}

Result<Object> as_document(Value value) {
  if (value.is_null()) {
    return Object();
  }
  if (!value.is_object()) {
    return fail(ErrorCode::invalid, "invalid JSON document");
  }
  return std::move(value.get_object());
}

Result<Value> strategic_merge(const doc::Type& type, Value original, Value patch) {
  TRY(Object document, as_document(std::move(original)));
  TRY(Object changes, as_document(std::move(patch)));
  TRY_VOID(merge_objects(document, changes, {&type}, {}));
  return Value(std::move(document));
}

}  // namespace tiphys::kube
