#pragma once
/// Loops: withItems, withParam and withSequence. An `ItemList` is what is looped over, made once; a
/// `Loop` is a step or task with its list, from which children are made one at a time. A child
/// costs its own size: neither the list nor the body is copied for it.
///
/// Source of the rules: Argo Workflows v4.1.2 expandTask, expandStep, expandSequence and
/// processItem in workflow/controller; error texts are theirs.

#include "base/error.h"
#include "lang/loops/item.h"
#include "lang/tags/tag_text.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::lang {

/// withSequence after substitution; numbers are still texts.
struct Sequence {
  std::optional<std::string> start;
  std::optional<std::string> end;
  std::optional<std::string> count;
  /// For Go's fmt.Sprintf; "%d" when empty.
  std::string format;
};

class ItemList {
 public:
  /// No items.
  ItemList() = default;
  /// The elements of a JSON list; `null` is an empty one. Errors: invalid, with the words of Go's
  /// encoding/json.
  static Result<ItemList> from_json(std::string json);
  /// Numbers from `start` (default 0) to `end`, or `count` of them, up or down; each formatted and
  /// a string. They are made when they are asked for. Errors: invalid.
  static Result<ItemList> from_sequence(const Sequence& sequence);

  ItemList(ItemList&&) noexcept = default;
  ItemList& operator=(ItemList&&) noexcept = default;

  std::size_t size() const { return size_; }

  bool empty() const { return size_ == 0; }

  /// The raw JSON of an item. Errors: invalid, when a sequence's format makes no JSON string.
  Result<std::string> json_at(std::size_t index) const;

 private:
  struct Span {
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  std::size_t size_ = 0;
  /// Of a list: its text and where the items are in it.
  std::string json_;
  std::vector<Span> spans_;
  /// Of a sequence.
  std::int64_t start_ = 0;
  bool downwards_ = false;
  std::string format_;
};

/// The loop fields of a step or task after substitution.
struct LoopFields {
  /// withItems as JSON.
  std::optional<std::string> items;
  /// withParam.
  std::string param;
  std::optional<Sequence> sequence;
  std::string when;
};

/// The items of a step or task, or nothing when it has no loop. A list that cannot be read is empty
/// when `when` is false already. Errors: bad_request, invalid.
Result<std::optional<ItemList>> loop_items(const LoopFields& fields);

struct LoopChild {
  std::string name;
  /// The body with the item filled in. It still carries the name of the whole loop.
  std::string json;
};

class Loop {
 public:
  struct Source {
    /// Of the step or task.
    std::string name;
    /// Its `when`, not yet filled: when it is false as it stands, nothing has to resolve.
    std::string when;
    /// Its JSON without the loop fields, made by our own writer.
    std::string body;
    /// For tasks of a DAG the loop fields as JSON: upstream fills them with every child and throws
    /// the result away, but tags in them that do not resolve are errors. Empty for steps.
    std::string loop_fields = {};
  };

  /// Errors: bad_request, for tags without end.
  static Result<Loop> make(Source source, ItemList items, ExpressionCache* cache = nullptr);

  std::size_t size() const { return items_.size(); }

  const ItemList& items() const { return items_; }

  /// The child of one item. `scope` is what the parent sees. Errors: bad_request.
  Result<LoopChild> child(std::size_t index, const Scope& scope,
                          const ExprEnvironment& functions = argo_functions(),
                          const ExprRuntime& runtime = {}) const;

 private:
  Loop(Source source, ItemList items, TagText body, TagText fields, TagText item_fields);

  std::string name_;
  bool is_lenient_;
  ItemList items_;
  TagText body_;
  /// Each different tag of the loop fields once; and those that may depend on the item.
  TagText fields_;
  TagText item_fields_;
};

/// Adds `item` and `item.<key>` to a scope and returns how the item is named in a child's name.
std::string bind_item(Scope& scope, const Item& item);

}  // namespace tiphys::lang
