#include "kube/merge/list_order.h"

#include "doc/go_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tiphys::kube {
namespace {

using doc::Array;
using doc::Value;

constexpr std::size_t kUnknown = SIZE_MAX;

/// A text that is equal for equal identities only.
std::string fingerprint(const Value& identity) {
  return std::string(go_type_name(identity)) + doc::to_json(identity, {.sort_keys = true});
}

bool is_deletion(const Value& element) {
  return element.is_object() && doc::find_string(element, kDirective) == "delete";
}

Result<> require_key(const Array& list, std::string_view merge_key) {
  for (const Value& element : list) {
    if (!element.is_object()) {
      return wrong_argument("map[string]interface {}", element);
    }
    if (doc::find(element, merge_key) == nullptr) {
      return no_merge_key(element, merge_key);
    }
  }
  return {};
}

/// Where identities first stand in a list.
class Ranks {
 public:
  Ranks(const Array& order, std::string_view merge_key) : merge_key_(merge_key) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (const Value* identity = identity_of(order[i], merge_key)) {
        ranks_.emplace(fingerprint(*identity), i);
      }
    }
  }

  std::size_t of(const Value& element) const {
    const Value* identity = identity_of(element, merge_key_);
    if (identity == nullptr) {
      return kUnknown;
    }
    const auto found = ranks_.find(fingerprint(*identity));
    return found == ranks_.end() ? kUnknown : found->second;
  }

 private:
  std::string_view merge_key_;
  std::unordered_map<std::string, std::size_t> ranks_;
};

Array take(Array& list, const std::vector<std::size_t>& order) {
  Array sorted;
  sorted.reserve(list.size());
  for (const std::size_t index : order) {
    sorted.push_back(std::move(list[index]));
  }
  return sorted;
}

/// Indexes in the order of their ranks. Elements without rank come to the front, the later the
/// further, which is where upstream's comparison puts them.
std::vector<std::size_t> sorted_by_rank(const std::vector<std::size_t>& ranks) {
  std::vector<std::size_t> unranked;
  std::vector<std::size_t> ranked;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    (ranks[i] == kUnknown ? unranked : ranked).push_back(i);
  }
  std::ranges::sort(ranked, [&ranks](std::size_t a, std::size_t b) {
    return ranks[a] != ranks[b] ? ranks[a] < ranks[b] : a < b;
  });
  std::ranges::reverse(unranked);
  unranked.insert(unranked.end(), ranked.begin(), ranked.end());
  return unranked;
}

}  // namespace

std::unexpected<Error> no_merge_key(const Value& element, std::string_view merge_key) {
  return fail(ErrorCode::invalid,
              "map: " + doc::go_text(element) +
                  " does not contain declared merge key: " + std::string(merge_key));
}

std::unexpected<Error> wrong_argument(std::string_view expected, const Value& actual) {
  return fail(ErrorCode::invalid, "expected a " + std::string(expected) + ", but received a " +
                                      std::string(go_type_name(actual)));
}

std::string_view go_type_name(const Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return "%!s(<nil>)";
    case boost::json::kind::bool_:
      return "bool";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
      return "int64";
    case boost::json::kind::double_:
      return "float64";
    case boost::json::kind::string:
      return "string";
    case boost::json::kind::array:
      return "[]interface {}";
    case boost::json::kind::object:
      return "map[string]interface {}";
  }
  return "";
}

Result<bool> holds_objects(const Array& first, const Array& second) {
  const Value* sample = nullptr;
  for (const Array* list : {&first, &second}) {
    for (const Value& element : *list) {
      if (sample == nullptr) {
        sample = &element;
      }
      if (sample->is_array()) {
        return fail(ErrorCode::invalid, "lists of lists are not supported");
      }
      if (go_type_name(*sample) != go_type_name(element)) {
        return fail(ErrorCode::invalid,
                    "list element types are not identical: " + doc::go_text(Array{first, second}));
      }
    }
  }
  if (sample == nullptr) {
    return fail(ErrorCode::invalid, "no elements in any of the given slices");
  }
  return sample->is_object();
}

const Value* identity_of(const Value& element, std::string_view merge_key) {
  return merge_key.empty() ? &element : doc::find(element, merge_key);
}

std::size_t index_of(const Array& list, const Value& identity, std::string_view merge_key) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Value* own = identity_of(list[i], merge_key);
    if (own != nullptr && *own == identity) {
      return i;
    }
  }
  return list.size();
}

Result<Partition> split_by_order(Array list, const Array& order, std::string_view merge_key) {
  const Ranks ranks(order, merge_key);
  Partition parts;
  for (Value& element : list) {
    if (!merge_key.empty()) {
      TRY_VOID(require_key(Array{element}, merge_key));
    }
    (ranks.of(element) == kUnknown ? parts.absent : parts.present).push_back(std::move(element));
  }
  return parts;
}

Result<Array> in_order(Array list, const Array& order, std::string_view merge_key) {
  Array deletions;
  if (!merge_key.empty()) {
    TRY_VOID(require_key(list, merge_key));
    TRY_VOID(require_key(order, merge_key));
    Array kept;
    for (Value& element : list) {
      (is_deletion(element) ? deletions : kept).push_back(std::move(element));
    }
    list = std::move(kept);
  }
  const Ranks ranks(order, merge_key);
  std::vector<std::size_t> own;
  own.reserve(list.size());
  for (const Value& element : list) {
    own.push_back(ranks.of(element));
  }
  Array sorted = take(list, sorted_by_rank(own));
  for (Value& deletion : deletions) {
    sorted.push_back(std::move(deletion));
  }
  return sorted;
}

Result<Array> interleave(Array patch, Array server_only, const Array& patch_order,
                         const Array& server_order, std::string_view merge_key) {
  TRY(Array right, in_order(std::move(patch), patch_order, merge_key));
  TRY(Array left, in_order(std::move(server_only), server_order, merge_key));
  const Ranks ranks(server_order, merge_key);
  Array all;
  all.reserve(left.size() + right.size());
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() || j < right.size()) {
    bool take_left = j >= right.size();
    if (i < left.size() && j < right.size()) {
      const std::size_t left_rank = ranks.of(left[i]);
      const std::size_t right_rank = ranks.of(right[j]);
      take_left = left_rank != kUnknown && right_rank != kUnknown && left_rank < right_rank;
    }
    all.push_back(std::move(take_left ? left[i++] : right[j++]));
  }
  return all;
}

void remove_repeated(Array& list) {
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < list.size();) {
    if (seen.insert(fingerprint(list[i])).second) {
      ++i;
      continue;
    }
    if (i + 1 < list.size()) {
      list[i] = std::move(list.back());
    }
    list.pop_back();
  }
}

void sort_by_text(Array& list, std::string_view key) {
  std::vector<std::string> texts;
  texts.reserve(list.size());
  for (const Value& element : list) {
    const Value* shown = identity_of(element, key);
    texts.push_back(doc::go_text(shown == nullptr ? Value() : *shown));
  }
  std::vector<std::size_t> order(list.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Upstream's order puts the later one of equal elements first.
  std::ranges::sort(order, [&texts](std::size_t a, std::size_t b) {
    return texts[a] != texts[b] ? texts[a] < texts[b] : a > b;
  });
  list = take(list, order);
}

}  // namespace tiphys::kube
