#pragma once
/// Where the nodes of a document stand in its text. A `Positions` is a side table that a parser
/// fills beside the `Value`: one entry for the root, for each member and for each list element,
/// with the place of its key and of its value. Lookups go down from the root, as a validator does,
/// or take a whole path.

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::doc {

class Positions {
 public:
  /// Names an entry; `kNone` stands for "not in the text".
  using Node = std::uint32_t;
  static constexpr Node kNone = UINT32_MAX;

  /// The whole document, or kNone for an empty table.
  Node root() const { return entries_.empty() ? kNone : 0; }

  /// The member `key` of an object; kNone for kNone. Takes logarithmic time.
  Node member(Node object, std::string_view key) const;
  /// The element `index` of a list; kNone for kNone.
  Node element(Node list, std::size_t index) const;
  /// Follows a path as Kubernetes writes it, "spec.templates[0].name". A key that holds dots is
  /// found too: the longest member name that fits is taken. kNone when there is no such node.
  Node find(std::string_view path) const;

  /// Where the key of a member starts; for elements and the root where the value starts.
  Position key_of(Node node) const;
  /// Where the value starts.
  Position value_of(Node node) const;

 private:
  friend class PositionsBuilder;

  struct Entry {
    std::uint32_t key_line;
    std::uint32_t key_column;
    std::uint32_t line;
    std::uint32_t column;
    std::uint32_t first;
    std::uint32_t count;
    std::uint32_t name_offset;
    std::uint32_t name_length;
  };

  std::string_view name_of(const Entry& entry) const;
  Node find_from(Node node, std::string_view path) const;

  std::vector<Entry> entries_;
  std::string names_;
};

/// Fills a `Positions` while a parser walks down a document. The entry of a container is added
/// first, then those of its children, then it is closed.
class PositionsBuilder {
 public:
  using Slot = std::size_t;

  /// Adds a member (`name` non-null) or an element; `key` is ignored for elements.
  Slot add(std::string_view name, Position key, Position value);

  /// A key that an earlier member had already.
  struct Duplicate {
    std::string name;
    Position key;
  };

  /// All slots after `container` become its members. Of those with the same name the last one
  /// stays.
  std::vector<Duplicate> close_object(Slot container);
  /// All slots after `container` become its elements.
  void close_list(Slot container);

  /// Forgets the slots after `last`.
  void drop_after(Slot last) { pending_.resize(last + 1); }

  Positions finish() &&;

 private:
  std::vector<Positions::Entry> pending_;
  Positions table_;
};

}  // namespace tiphys::doc
