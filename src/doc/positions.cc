#include "doc/positions.h"

#include <algorithm>
#include <charconv>

namespace tiphys::doc {

std::string_view Positions::name_of(const Entry& entry) const {
  return std::string_view(names_).substr(entry.name_offset, entry.name_length);
}

Positions::Node Positions::member(Node object, std::string_view key) const {
  if (object == kNone) {
    return kNone;
  }
  const auto first = entries_.begin() + entries_[object].first;
  const auto last = first + entries_[object].count;
  const auto found = std::lower_bound(
      first, last, key,
      [this](const Entry& entry, std::string_view wanted) { return name_of(entry) < wanted; });
  if (found == last || name_of(*found) != key) {
    return kNone;
  }
  return static_cast<Node>(found - entries_.begin());
}

Positions::Node Positions::element(Node list, std::size_t index) const {
  if (list == kNone || index >= entries_[list].count) {
    return kNone;
  }
  return entries_[list].first + static_cast<Node>(index);
}

Positions::Node Positions::find(std::string_view path) const { return find_from(root(), path); }

Positions::Node Positions::find_from(Node node, std::string_view path) const {
  while (node != kNone && !path.empty()) {
    if (path.front() == '[') {
      std::size_t index = 0;
      const auto [end, problem] =
          std::from_chars(path.data() + 1, path.data() + path.size(), index);
      const auto used = static_cast<std::size_t>(end - path.data());
      if (problem != std::errc() || used >= path.size() || *end != ']') {
        return kNone;
      }
      node = element(node, index);
      path.remove_prefix(used + 1);
      continue;
    }
    if (path.front() == '.') {
      path.remove_prefix(1);
    }
    std::size_t taken = path.size();
    Node next = member(node, path);
    while (next == kNone) {
      taken = taken == 0 ? std::string_view::npos : path.find_last_of(".[", taken - 1);
      if (taken == std::string_view::npos || taken == 0) {
        return kNone;
      }
      next = member(node, path.substr(0, taken));
    }
    node = next;
    path.remove_prefix(taken);
  }
  return node;
}

Position Positions::key_of(Node node) const {
  if (node == kNone) {
    return {};
  }
  return {entries_[node].key_line, entries_[node].key_column};
}

Position Positions::value_of(Node node) const {
  if (node == kNone) {
    return {};
  }
  return {entries_[node].line, entries_[node].column};
}

PositionsBuilder::Slot PositionsBuilder::add(std::string_view name, Position key, Position value) {
  if (name.data() == nullptr) {
    key = value;
  }
  pending_.push_back(
      {static_cast<std::uint32_t>(key.line), static_cast<std::uint32_t>(key.column),
       static_cast<std::uint32_t>(value.line), static_cast<std::uint32_t>(value.column), 0, 0,
       static_cast<std::uint32_t>(table_.names_.size()), static_cast<std::uint32_t>(name.size())});
  table_.names_ += name;
  return pending_.size() - 1;
}

std::vector<PositionsBuilder::Duplicate> PositionsBuilder::close_object(Slot container) {
  const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(container) + 1;
  std::sort(first, pending_.end(), [this](const auto& a, const auto& b) {
    const int order = table_.name_of(a).compare(table_.name_of(b));
    return order != 0 ? order < 0 : a.name_offset < b.name_offset;
  });
  std::vector<Duplicate> duplicates;
  auto kept = first;
  for (auto entry = first; entry != pending_.end(); ++entry) {
    if (kept != first && table_.name_of(*(kept - 1)) == table_.name_of(*entry)) {
      duplicates.push_back(
          {std::string(table_.name_of(*entry)), {entry->key_line, entry->key_column}});
      --kept;
    }
    *kept++ = *entry;
  }
  pending_.erase(kept, pending_.end());
  close_list(container);
  return duplicates;
}

void PositionsBuilder::close_list(Slot container) {
  const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(container) + 1;
  // The root comes to stand at index 0, so children start behind it.
  if (table_.entries_.empty()) {
    table_.entries_.emplace_back();
  }
  pending_[container].first = static_cast<std::uint32_t>(table_.entries_.size());
  pending_[container].count = static_cast<std::uint32_t>(pending_.end() - first);
  table_.entries_.insert(table_.entries_.end(), first, pending_.end());
  drop_after(container);
}

Positions PositionsBuilder::finish() && {
  if (table_.entries_.empty()) {
    table_.entries_.emplace_back();
  }
  table_.entries_.front() = pending_.front();
  return std::move(table_);
}

}  // namespace tiphys::doc
