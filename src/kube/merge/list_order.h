#pragma once
/// Lists as strategic merge handles them: elements told apart by a merge key or by their own value,
/// orders made of the patch's and the server's. Private to this module.

#include "base/error.h"
#include "doc/json.h"

#include <string>
#include <string_view>

namespace tiphys::kube {

inline constexpr std::string_view kDirective = "$patch";
inline constexpr std::string_view kRetainKeys = "$retainKeys";
inline constexpr std::string_view kSetElementOrder = "$setElementOrder";
inline constexpr std::string_view kDeleteFromPrimitiveList = "$deleteFromPrimitiveList";

/// "map: map[a:1] does not contain declared merge key: name"
std::unexpected<Error> no_merge_key(const doc::Value& element, std::string_view merge_key);
/// "expected a []interface {}, but received a string"
std::unexpected<Error> wrong_argument(std::string_view expected, const doc::Value& actual);

/// What Go's reflection calls a JSON value: "map[string]interface {}", "string", "<nil>".
std::string_view go_type_name(const doc::Value& value);

/// Whether the elements of both lists are objects. Errors: invalid, for lists of lists, elements of
/// different types, and when there are none at all.
Result<bool> holds_objects(const doc::Array& first, const doc::Array& second);

/// What tells an element apart: its member `merge_key`, or itself where that is empty. Null when it
/// has none.
const doc::Value* identity_of(const doc::Value& element, std::string_view merge_key);

/// The first element that has this identity, or the list's size.
std::size_t index_of(const doc::Array& list, const doc::Value& identity,
                     std::string_view merge_key);

/// The elements of `list` whose identity occurs in `order`, and the others.
struct Partition {
  doc::Array present;
  doc::Array absent;
};

Result<Partition> split_by_order(doc::Array list, const doc::Array& order,
                                 std::string_view merge_key);

/// Sorts by the order in which identities stand in `order`; elements with `$patch: delete` go to
/// the end.
Result<doc::Array> in_order(doc::Array list, const doc::Array& order, std::string_view merge_key);

/// The elements of a patch in the order of `patch_order`, with those that only the server has
/// put between them where `server_order` wants them.
Result<doc::Array> interleave(doc::Array patch, doc::Array server_only,
                              const doc::Array& patch_order, const doc::Array& server_order,
                              std::string_view merge_key);

/// Drops repeated scalars as upstream does it: the last one takes the place of the repeated one.
void remove_repeated(doc::Array& list);
/// Sorts by what Go prints for the elements, or for their member `key` when it is not empty.
void sort_by_text(doc::Array& list, std::string_view key);

}  // namespace tiphys::kube
