#include "workflows/engine/excerpt.h"

#include "base/fnv.h"
#include "workflows/engine/status.h"

#include <boost/json.hpp>

#include <charconv>
#include <map>

namespace tiphys::workflows {
namespace {

using doc::Value;

std::optional<NodeIndex> index_at(const Value& row, std::string_view key) {
  const Value* value = doc::find(row, key);
  return value != nullptr && value->is_int64()
             ? std::optional(static_cast<NodeIndex>(value->get_int64()))
             : std::nullopt;
}

std::vector<NodeIndex> failed_nodes(const Value& document) {
  std::vector<NodeIndex> out;
  const Value* metadata = doc::find(document, "metadata");
  const Value* annotations = metadata == nullptr ? nullptr : doc::find(*metadata, "annotations");
  std::string_view rest =
      annotations == nullptr ? "" : doc::find_string(*annotations, kFailedNodesAnnotation);
  while (!rest.empty()) {
    NodeIndex number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc()) {
      break;
    }
    out.push_back(number);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    rest.remove_prefix(rest.starts_with(',') ? 1 : 0);
  }
  return out;
}

/// The node around a million others lists all their ends in its row, and nobody looks at those.
std::string without_long_outbound(std::string row) {
  constexpr std::size_t kLong = 16 * 1024;
  constexpr std::string_view kKey = R"(],"outbound":[)";
  const std::size_t at = row.size() < kLong ? std::string::npos : row.rfind(kKey);
  if (at == std::string::npos) {
    return row;
  }
  const std::size_t first = at + kKey.size();
  const std::size_t end = row.find_first_not_of("0123456789,", first);
  if (end != std::string::npos && row[end] == ']') {
    row.erase(first, end - first);
  }
  return row;
}

/// Chosen rows by their numbers, with those of the nodes around them.
class Chosen {
 public:
  Chosen(NodeIndex count, const RowReader& read) : count_(count), read_(read) {}

  Result<> add(NodeIndex index) {
    std::vector<NodeIndex> pending{index};
    while (!pending.empty()) {
      const NodeIndex next = pending.back();
      pending.pop_back();
      if (next >= count_ || rows_.contains(next)) {
        continue;
      }
      TRY(std::string text, read_(next));
      TRY(Value row, doc::parse_json(without_long_outbound(std::move(text))));
      for (const std::string_view key : {"boundary", "owner"}) {
        if (const auto other = index_at(row, key); other && *other < next) {
          pending.push_back(*other);
        }
      }
      // One way from the root leads to the node; the others may go through what is left out.
      if (const Value* parents = doc::find(row, "parents");
          parents != nullptr && parents->is_array() && !parents->get_array().empty() &&
          parents->get_array().front().is_int64()) {
        const auto parent = static_cast<NodeIndex>(parents->get_array().front().get_int64());
        if (parent < next) {
          pending.push_back(parent);
        }
      }
      rows_.emplace(next, std::move(row));
    }
    return {};
  }

  std::size_t size() const { return rows_.size(); }

  /// The rows with numbers as if there were no others.
  std::vector<StoredRow> renumbered() && {
    std::map<NodeIndex, NodeIndex> numbers;
    for (const auto& [index, row] : rows_) {
      numbers.emplace(index, static_cast<NodeIndex>(numbers.size()));
    }
    std::vector<StoredRow> out;
    for (auto& [index, row] : rows_) {
      doc::Object& members = row.as_object();
      for (const char* key : {"boundary", "owner"}) {
        if (const auto other = index_at(row, key)) {
          members[key] = numbers.at(*other);
        }
      }
      for (const char* key : {"parents", "outbound"}) {
        doc::Array kept;
        const Value* list = members.if_contains(key);
        for (const Value& other :
             list != nullptr && list->is_array() ? list->get_array() : doc::Array{}) {
          const auto found = other.is_int64()
                                 ? numbers.find(static_cast<NodeIndex>(other.get_int64()))
                                 : numbers.end();
          if (found != numbers.end()) {
            kept.emplace_back(found->second);
          }
        }
        members[key] = std::move(kept);
      }
      out.push_back({numbers.at(index), doc::to_json(row, {.escape_html = false})});
    }
    return out;
  }

 private:
  const NodeIndex count_;
  const RowReader& read_;
  std::map<NodeIndex, Value> rows_;
};

/// The name at the head of a row; nothing when it holds escapes.
std::optional<std::string_view> name_of_row(std::string_view row) {
  constexpr std::string_view kHead = R"({"name":")";
  const std::size_t end = row.find_first_of("\"\\", kHead.size());
  if (!row.starts_with(kHead) || end == std::string_view::npos || row[end] != '"') {
    return std::nullopt;
  }
  return row.substr(kHead.size(), end - kHead.size());
}

}  // namespace

bool may_be_meant(std::string_view row, std::string_view wanted) {
  const auto name = name_of_row(row);
  if (!name || name->ends_with(wanted) || row.contains("displayNameOverride")) {
    return true;
  }
  // As a part, "." before it and one of "([." behind.
  for (std::size_t at = name->find(wanted); at != std::string_view::npos;
       at = name->find(wanted, at + 1)) {
    if (at != 0 && (*name)[at - 1] == '.') {
      return true;
    }
  }
  // Ids and names of pods end with the hash of the node's name.
  return !wanted.empty() && wanted.back() >= '0' && wanted.back() <= '9' &&
         wanted.ends_with("-" + std::to_string(fnv1a_32(*name)));
}

Result<std::vector<StoredRow>> rows_around(std::span<const NodeIndex> wanted, NodeIndex count,
                                           const RowReader& read) {
  Chosen chosen(count, read);
  for (const NodeIndex index : wanted) {
    TRY_VOID(chosen.add(index));
  }
  return std::move(chosen).renumbered();
}

Result<Value> workflow_excerpt(const Value& document, NodeIndex count, NodeIndex most,
                               const RowReader& read) {
  Chosen chosen(count, read);
  for (const NodeIndex index : failed_nodes(document)) {
    TRY_VOID(chosen.add(index));
  }
  for (NodeIndex index = 0; index < count && chosen.size() < most / 2; ++index) {
    TRY_VOID(chosen.add(index));
  }
  for (NodeIndex index = count; index-- > 0 && chosen.size() < most;) {
    TRY_VOID(chosen.add(index));
  }
  const Value* metadata_document = doc::find(document, "metadata");
  TRY(const Metadata metadata,
      decode_metadata(metadata_document == nullptr ? Value() : *metadata_document));
  const auto rows = std::move(chosen).renumbered();
  TRY(const auto stored, read_rows(metadata.name, names_pods_v1(metadata.annotations), rows));
  Value out = document;
  Value& status = out.as_object()["status"];
  if (!status.is_object()) {
    status.emplace_object();
  }
  status.get_object()["nodes"] = node_statuses(stored.nodes);
  return out;
}

}  // namespace tiphys::workflows
