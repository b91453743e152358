#include "lang/gotext/gotext.h"
#include "lang/jsontext/json_text.h"
#include "lang/loops/format_int.h"
#include "lang/loops/loops.h"
#include "lang/when/when.h"

#include <fmt/format.h>

namespace tiphys::lang {
namespace {

/// Formats with these verbs can be fine for one number and break the JSON for the next.
constexpr std::string_view kUnevenVerbs = "cqU";
/// How many items such a sequence may have; each is tried at once.
constexpr std::size_t kMaxUneven = 1'000'000;

std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

Result<std::int64_t> number_in(const std::optional<std::string>& text) {
  return text ? parse_integer(*text, 10, "Atoi") : Result<std::int64_t>(0);
}

}  // namespace

Result<ItemList> ItemList::from_json(std::string json) {
  if (auto problem = json_problem(json)) {
    return fail(ErrorCode::invalid, *std::move(problem));
  }
  const std::string_view kind = json_kind(json);
  if (kind == "null") {
    return ItemList();
  }
  if (kind != "array") {
    return fail(
        ErrorCode::invalid,
        fmt::format("json: cannot unmarshal {} into Go value of type []v1alpha1.Item", kind));
  }
  ItemList list;
  list.json_ = std::move(json);
  for (const std::string_view element : json_elements(list.json_)) {
    list.spans_.push_back(
        {static_cast<std::size_t>(element.data() - list.json_.data()), element.size()});
  }
  list.size_ = list.spans_.size();
  return list;
}

Result<ItemList> ItemList::from_sequence(const Sequence& sequence) {
  TRY(const std::int64_t start, number_in(sequence.start));
  std::int64_t end = 0;
  if (sequence.end) {
    TRY(end, number_in(sequence.end));
  } else if (sequence.count) {
    TRY(const std::int64_t count, number_in(sequence.count));
    if (count == 0) {
      return ItemList();
    }
    end = wrapping_add(start, wrapping_add(count, -1));
  } else {
    return fail(ErrorCode::internal, "neither end nor count was specified in withSequence");
  }
  ItemList list;
  list.start_ = start;
  list.downwards_ = start > end;
  list.format_ = sequence.format.empty() ? "%d" : sequence.format;
  const std::uint64_t distance =
      list.downwards_ ? static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(end)
                      : static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(start);
  if (distance == UINT64_MAX) {
    return fail(ErrorCode::invalid, "withSequence has too many items");
  }
  list.size_ = distance + 1;
  std::size_t tried = 1;
  if (list.format_.find_first_of(kUnevenVerbs) != std::string::npos) {
    tried = list.size_;
    if (tried > kMaxUneven) {
      return fail(ErrorCode::invalid, "withSequence has too many items for its format");
    }
  }
  for (std::size_t i = 0; i < tried; ++i) {
    TRY_VOID(list.json_at(i));
  }
  return list;
}

Result<std::string> ItemList::json_at(std::size_t index) const {
  if (!spans_.empty()) {
    return json_.substr(spans_[index].begin, spans_[index].size);
  }
  const auto offset = static_cast<std::int64_t>(index);
  const std::int64_t number =
      downwards_ ? wrapping_add(start_, -offset) : wrapping_add(start_, offset);
  TRY(const std::string text, go_format_int(format_, number));
  std::string json = fmt::format("\"{}\"", text);
  if (auto problem = json_problem(json)) {
    return fail(ErrorCode::invalid, *std::move(problem));
  }
  return json;
}

Result<std::optional<ItemList>> loop_items(const LoopFields& fields) {
  if (fields.items) {
    TRY(ItemList list, ItemList::from_json(*fields.items));
    if (!list.empty()) {
      return std::optional(std::move(list));
    }
  }
  if (fields.param.empty() && !fields.sequence) {
    return std::nullopt;
  }
  auto list = fields.param.empty() ? ItemList::from_sequence(*fields.sequence)
                                   : ItemList::from_json(fields.param);
  if (list) {
    return std::optional(*std::move(list));
  }
  if (const auto runs = should_execute(fields.when); runs && !*runs) {
    return std::optional(ItemList());
  }
  if (fields.param.empty()) {
    return std::unexpected(std::move(list).error());
  }
  return fail(ErrorCode::bad_request,
              fmt::format("withParam value could not be parsed as a JSON list: {}: {}",
                          trim_space(fields.param), list.error().message));
}

}  // namespace tiphys::lang
