#include "doc/go_text.h"
#include "doc/yaml.h"
#include "kube/merge/list_order.h"
#include "kube/merge/strategic_internal.h"
#include "kube/merge/strategic_merge.h"

#include <boost/json.hpp>

#include <map>
#include <optional>

namespace tiphys::kube {
namespace {

using doc::Array;
using doc::Object;
using doc::Value;

struct DiffOptions {
  bool ignore_deletions = false;
  bool ignore_changes = false;
  bool set_element_order = false;
  bool retain_keys = false;
};

/// What makes one list of another.
struct ListDiff {
  Array changes;
  Array deletions;
  Array order;
};

/// Computes patches. Lists of scalars are sorted in place on the way, which upstream does and which
/// shows in what is computed from the same documents later.
class Differ {
 public:
  Result<Object> diff(Object& original, Object& modified, const PatchPlace& place,
                      const DiffOptions& options) {
    Object patch;
    Array retained;
    for (auto& member : modified) {
      const boost::json::string_view key = member.key();
      Value& wanted = member.value();
      if (options.retain_keys && !wanted.is_null()) {
        retained.emplace_back(boost::json::string(key));
      }
      Value* own = original.if_contains(key);
      if (own == nullptr) {
        if (!options.ignore_changes) {
          patch[key] = wanted;
        }
        continue;
      }
      TRY_VOID(diff_member(patch, {key.data(), key.size()}, *own, wanted, place, options));
    }
    bool has_more = false;
    for (const auto& member : original) {
      const bool gone = !modified.contains(member.key());
      has_more = has_more || (gone && !member.value().is_null());
      if (gone && !options.ignore_deletions) {
        patch[member.key()] = nullptr;
      }
    }
    if (!retained.empty() && (!patch.empty() || has_more)) {
      sort_by_text(retained, "");
      patch[kRetainKeys] = std::move(retained);
    }
    return patch;
  }

 private:
  Result<> diff_member(Object& patch, std::string_view key, Value& own, Value& wanted,
                       const PatchPlace& place, const DiffOptions& options) {
    if (key == kDirective) {
      if (!own.is_string() || !wanted.is_string()) {
        return fail(ErrorCode::invalid, "invalid value for special key: $patch");
      }
      if (own != wanted) {
        patch[kDirective] = wanted;
      }
      return {};
    }
    if (go_type_name(own) == go_type_name(wanted)) {
      if (own.is_object()) {
        return diff_objects(patch, key, own.get_object(), wanted.get_object(), place, options);
      }
      if (own.is_array()) {
        return diff_lists(patch, key, own, wanted, place, options);
      }
    }
    replace_if_changed(patch, key, own, wanted, options);
    return {};
  }

  static void replace_if_changed(Object& patch, std::string_view key, const Value& own,
                                 const Value& wanted, const DiffOptions& options) {
    const bool same = go_type_name(own) == go_type_name(wanted) && own == wanted;
    if (!options.ignore_changes && !same) {
      patch.insert_or_assign({key.data(), key.size()}, wanted);
    }
  }

  Result<> diff_objects(Object& patch, std::string_view key, Object& own, Object& wanted,
                        const PatchPlace& place, DiffOptions options) {
    const auto rule = rule_of_object(place, key);
    if (!rule) {
      if (own == wanted) {
        return {};
      }
      return std::unexpected(rule.error());
    }
    if (rule->strategy == PatchStrategy::replace) {
      if (!options.ignore_changes) {
        patch.insert_or_assign({key.data(), key.size()}, wanted);
      }
      return {};
    }
    options.retain_keys = rule->retain_keys;
    TRY(Object changes, diff(own, wanted, rule->place, options));
    if (!changes.empty()) {
      patch.insert_or_assign({key.data(), key.size()}, std::move(changes));
    }
    return {};
  }

  Result<> diff_lists(Object& patch, std::string_view key, Value& own, Value& wanted,
                      const PatchPlace& place, DiffOptions options) {
    const auto rule = rule_of_list(place, key);
    if (!rule) {
      if (own == wanted) {
        return {};
      }
      return std::unexpected(rule.error());
    }
    if (rule->strategy != PatchStrategy::merge) {
      replace_if_changed(patch, key, own, wanted, options);
      return {};
    }
    options.retain_keys = rule->retain_keys;
    TRY(ListDiff lists, diff_merged_lists(own.get_array(), wanted.get_array(), *rule, options));
    const std::string name(key);
    const auto set = [&patch](const std::string& directive, Array& list) {
      if (!list.empty()) {
        patch[directive] = std::move(list);
      }
    };
    set(name, lists.changes);
    set(std::string(kDeleteFromPrimitiveList) + "/" + name, lists.deletions);
    set(std::string(kSetElementOrder) + "/" + name, lists.order);
    return {};
  }

  Result<ListDiff> diff_merged_lists(Array& own, Array& wanted, const PatchRule& rule,
                                     const DiffOptions& options) {
    ListDiff lists;
    if (own.empty()) {
      if (!options.ignore_changes) {
        lists.changes = wanted;
      }
      return lists;
    }
    TRY(const bool objects, holds_objects(own, wanted));
    if (!objects) {
      return diff_scalars(own, wanted, options);
    }
    TRY(lists, diff_elements(own, wanted, rule, options));
    TRY(lists.changes, in_order(std::move(lists.changes), wanted, rule.merge_key));
    TRY(const bool same_order, is_same_order(own, wanted, rule.merge_key));
    for (Value& deletion : lists.deletions) {
      lists.changes.push_back(std::move(deletion));
    }
    lists.deletions.clear();
    const bool any = !lists.changes.empty();
    if (options.set_element_order &&
        ((!options.ignore_changes && (any || !same_order)) || (!options.ignore_deletions && any))) {
      for (const Value& element : wanted) {
        lists.order.push_back(Object{{rule.merge_key, *doc::find(element, rule.merge_key)}});
      }
    }
    return lists;
  }

  static Result<bool> is_same_order(const Array& own, const Array& wanted,
                                    std::string_view merge_key) {
    if (own.size() != wanted.size()) {
      return false;
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
      const Value* left = doc::find(own[i], merge_key);
      const Value* right = doc::find(wanted[i], merge_key);
      if (left == nullptr || right == nullptr) {
        return no_merge_key(left == nullptr ? own[i] : wanted[i], merge_key);
      }
      if (*left != *right) {
        return false;
      }
    }
    return true;
  }

  static Result<ListDiff> diff_scalars(Array& own, const Array& wanted,
                                       const DiffOptions& options) {
    ListDiff lists;
    Array sorted = wanted;
    sort_by_text(own, "");
    sort_by_text(sorted, "");
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < own.size() || j < sorted.size()) {
      const int order = compare(own, i, sorted, j, "");
      if (order < 0 && !options.ignore_deletions) {
        lists.deletions.push_back(own[i]);
      }
      if (order > 0 && !options.ignore_changes) {
        lists.changes.push_back(sorted[j]);
      }
      i += order <= 0 ? 1 : 0;
      j += order >= 0 ? 1 : 0;
    }
    remove_repeated(lists.deletions);
    TRY(lists.changes, in_order(std::move(lists.changes), wanted, ""));
    if (options.set_element_order && ((!options.ignore_deletions && !lists.deletions.empty()) ||
                                      (!options.ignore_changes && own != wanted))) {
      lists.order = wanted;
    }
    return lists;
  }

  /// Compares elements of two sorted lists by their texts; the end of a list is after everything.
  static int compare(const Array& left, std::size_t i, const Array& right, std::size_t j,
                     std::string_view merge_key) {
    if (i >= left.size() || j >= right.size()) {
      return i >= left.size() ? 1 : -1;
    }
    const std::string a = doc::go_text(*identity_of(left[i], merge_key));
    const std::string b = doc::go_text(*identity_of(right[j], merge_key));
    return a < b ? -1 : a > b ? 1 : 0;
  }

  Result<ListDiff> diff_elements(const Array& own, const Array& wanted, const PatchRule& rule,
                                 const DiffOptions& options) {
    const std::string_view key = rule.merge_key;
    Array left = own;
    Array right = wanted;
    for (Array* list : {&left, &right}) {
      sort_by_text(*list, key);
      for (const Value& element : *list) {
        if (doc::find(element, key) == nullptr) {
          return no_merge_key(element, key);
        }
      }
    }
    ListDiff lists;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < left.size() || j < right.size()) {
      const int order = compare(left, i, right, j, key);
      if (order == 0) {
        TRY(Object changes, diff(left[i].get_object(), right[j].get_object(), rule.place, options));
        if (!changes.empty()) {
          changes.insert_or_assign(rule.merge_key, *doc::find(right[j], key));
          lists.changes.push_back(std::move(changes));
        }
      } else if (order > 0 && !options.ignore_changes) {
        lists.changes.push_back(right[j]);
      } else if (order < 0 && !options.ignore_deletions) {
        lists.deletions.push_back(
            Object{{rule.merge_key, *doc::find(left[i], key)}, {kDirective, "delete"}});
      }
      i += order <= 0 ? 1 : 0;
      j += order >= 0 ? 1 : 0;
    }
    return lists;
  }
};

/// Tells whether two patches of one document want different things.
class ConflictFinder {
 public:
  static Result<bool> objects(const Object& left, const Object& right, const PatchPlace& place) {
    for (const auto& member : left) {
      const std::string_view key = member.key();
      const Value* other = right.if_contains(member.key());
      if (key == kDirective || key == kRetainKeys || other == nullptr) {
        continue;
      }
      PatchRule rule;
      if (member.value().is_object()) {
        TRY(rule, rule_of_object(place, key));
      } else if (member.value().is_array()) {
        TRY(rule, rule_of_list(place, key));
      }
      TRY(const bool conflict, values(member.value(), *other, rule));
      if (conflict) {
        return true;
      }
    }
    return false;
  }

 private:
  static Result<bool> values(const Value& left, const Value& right, const PatchRule& rule) {
    if (go_type_name(left) != go_type_name(right)) {
      return true;
    }
    if (left.is_array()) {
      return lists(left.get_array(), right.get_array(), rule);
    }
    if (!left.is_object()) {
      return left != right;
    }
    const Value* own = doc::find(left, kDirective);
    const Value* other = doc::find(right, kDirective);
    if ((own == nullptr) != (other == nullptr) || (own != nullptr && *own != *other)) {
      return true;
    }
    if (rule.strategy == PatchStrategy::replace) {
      return false;
    }
    return objects(left.get_object(), right.get_object(), rule.place);
  }

  static Result<bool> lists(Array left, Array right, const PatchRule& rule) {
    TRY(const bool are_objects, holds_objects(left, right));
    PatchRule inner;
    inner.place = rule.place;
    if (rule.strategy == PatchStrategy::merge) {
      return are_objects ? elements(left, right, inner, rule.merge_key) : Result<bool>(false);
    }
    if (left.size() != right.size()) {
      return true;
    }
    if (!are_objects) {
      for (Array* list : {&left, &right}) {
        remove_repeated(*list);
        sort_by_text(*list, "");
      }
    }
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (i >= right.size()) {
        return true;
      }
      TRY(const bool conflict, values(left[i], right[i], inner));
      if (conflict) {
        return true;
      }
    }
    return false;
  }

  static Result<bool> elements(const Array& left, const Array& right, const PatchRule& inner,
                               const std::string& merge_key) {
    for (const Value& element : left) {
      const Value* identity = doc::find(element, merge_key);
      if (identity == nullptr) {
        return fail(ErrorCode::invalid, "cannot find merge key `" + merge_key +
                                            "` in merging list element:" + doc::go_text(element));
      }
      const std::size_t index = index_of(right, *identity, merge_key);
      if (index == right.size()) {
        continue;
      }
      TRY(const bool conflict, values(element, right[index], inner));
      if (conflict) {
        return true;
      }
    }
    return false;
  }
};

}  // namespace

Result<Value> strategic_diff(const doc::Type& type, Value original, Value modified) {
  TRY(Object from, as_document(std::move(original)));
  TRY(Object to, as_document(std::move(modified)));
  TRY(Object patch, Differ().diff(from, to, {&type}, {.set_element_order = true}));
  return Value(std::move(patch));
}

Result<Value> strategic_three_way_diff(const doc::Type& type, Value original, Value modified,
                                       Value current, OnConflict on_conflict) {
  TRY(Object last, as_document(std::move(original)));
  TRY(Object wanted, as_document(std::move(modified)));
  TRY(Object live, as_document(std::move(current)));
  const PatchPlace place{&type};
  Differ differ;
  TRY(Object changes,
      differ.diff(live, wanted, place, {.ignore_deletions = true, .set_element_order = true}));
  TRY(Object patch,
      differ.diff(last, wanted, place, {.ignore_changes = true, .set_element_order = true}));
  const MergeOptions keep{.apply_directives = false, .drop_unmatched_nulls = false};
  TRY_VOID(merge_objects(patch, changes, place, keep));
  if (on_conflict == OnConflict::fail) {
    TRY(const Object changed, differ.diff(last, live, place, {}));
    TRY(const bool conflict, ConflictFinder::objects(patch, changed, place));
    if (conflict) {
      return fail(ErrorCode::conflict,
                  "patch:\n" + doc::to_yaml(patch) +
                      "\nconflicts with changes made from original to current:\n" +
                      doc::to_yaml(changed) + "\n");
    }
  }
  return Value(std::move(patch));
}

}  // namespace tiphys::kube
