#include "doc/merge_patch.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::doc {
namespace {

bool is_number(const Value& value) {
  return value.is_int64() || value.is_uint64() || value.is_double();
}

double as_double(const Value& value) {
  return value.is_int64()    ? static_cast<double>(value.get_int64())
         : value.is_uint64() ? static_cast<double>(value.get_uint64())
                             : value.get_double();
}

/// Equal as JSON: 1 and 1.0 are the same number.
bool same(const Value& a, const Value& b) {
  if (is_number(a) && is_number(b)) {
    return a == b || as_double(a) == as_double(b);
  }
  if (a.is_array() && b.is_array()) {
    return std::ranges::equal(a.get_array(), b.get_array(), same);
  }
  if (!a.is_object() || !b.is_object()) {
    return a == b;
  }
  const Object& left = a.get_object();
  const Object& right = b.get_object();
  return left.size() == right.size() && std::ranges::all_of(left, [&right](const auto& member) {
           const Value* other = right.if_contains(member.key());
           return other != nullptr && same(member.value(), *other);
         });
}

/// Takes nulls out of the objects of a patch where there is nothing to take them away from. Those
/// inside lists go too, which is the API server's way and not the RFC's.
void prune_nulls(Value& value) {
  if (Array* array = value.if_array()) {
    for (Value& element : *array) {
      prune_nulls(element);
    }
  }
  Object* object = value.if_object();
  if (object == nullptr) {
    return;
  }
  Object kept;
  for (auto& member : *object) {
    if (!member.value().is_null()) {
      prune_nulls(member.value());
      kept[member.key()] = std::move(member.value());
    }
  }
  *object = std::move(kept);
}

enum class Keep { deletions, additions_and_changes };

/// One side of a merge patch. An object in which nothing is left goes too, but one that was empty
/// is a value.
void keep_only(Object& patch, Keep what) {
  Object kept;
  for (auto& member : patch) {
    Value& value = member.value();
    Object* inner = value.if_object();
    if (inner != nullptr && !inner->empty()) {
      keep_only(*inner, what);
      if (!inner->empty()) {
        kept[member.key()] = std::move(value);
      }
    } else if (value.is_null() == (what == Keep::deletions)) {
      kept[member.key()] = std::move(value);
    }
  }
  patch = std::move(kept);
}

}  // namespace

Value merge_patch(Value target, const Value& patch, PatchNulls nulls) {
  if (!target.is_object()) {
    Value fresh = patch;
    if (nulls == PatchNulls::remove) {
      prune_nulls(fresh);
    }
    return fresh;
  }
  const Object* changes = patch.if_object();
  if (changes == nullptr) {
    return patch;
  }
  Object& object = target.get_object();
  for (const auto& change : *changes) {
    if (change.value().is_null() && nulls == PatchNulls::remove) {
      object.erase(change.key());
      continue;
    }
    Value& member = object[change.key()];
    member = merge_patch(std::move(member), change.value(), nulls);
  }
  return target;
}

Value create_merge_patch(const Value& original, const Value& modified) {
  const Object* from = original.if_object();
  const Object* to = modified.if_object();
  if (from == nullptr || to == nullptr) {
    return modified;
  }
  Object patch;
  for (const auto& member : *to) {
    const Value* own = from->if_contains(member.key());
    if (own == nullptr) {
      patch[member.key()] = member.value();
    } else if (own->is_object() && member.value().is_object()) {
      Value inner = create_merge_patch(*own, member.value());
      if (!inner.get_object().empty()) {
        patch[member.key()] = std::move(inner);
      }
    } else if (!same(*own, member.value())) {
      patch[member.key()] = member.value();
    }
  }
  for (const auto& member : *from) {
    if (!to->contains(member.key())) {
      patch[member.key()] = nullptr;
    }
  }
  return patch;
}

Value three_way_merge_patch(const Value& original, const Value& modified, const Value& current) {
  const Value nothing = Object();
  const auto object_or_nothing = [&nothing](const Value& value) -> const Value& {
    return value.is_null() ? nothing : value;
  };
  Value changes = create_merge_patch(object_or_nothing(current), object_or_nothing(modified));
  Value deletions = create_merge_patch(object_or_nothing(original), object_or_nothing(modified));
  if (changes.is_object()) {
    keep_only(changes.get_object(), Keep::additions_and_changes);
  }
  if (deletions.is_object()) {
    keep_only(deletions.get_object(), Keep::deletions);
  }
  return merge_patch(std::move(deletions), changes, PatchNulls::keep);
}

}  // namespace tiphys::doc
