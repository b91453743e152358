#include "lang/jq/paths.h"

#include "lang/gotext/gotext.h"
#include "lang/jq/json_form.h"
#include "lang/jq/native.h"
#include "lang/jq/operators.h"

#include <algorithm>
#include <optional>

namespace tiphys::lang::jq {
namespace {

std::unexpected<Problem> expected_array(const Value& value) {
  return problem("expected an array but got: " + preview_with_type(value));
}

std::unexpected<Problem> not_a_number(const Value& key, std::string_view what) {
  return problem("expected a number for indexing " + std::string(what) +
                 " but got: " + preview_with_type(key));
}

/// An index that counts from the end when it is negative, between `least` and `most`.
std::int64_t clamped(std::int64_t index, std::int64_t least, std::int64_t most) {
  index += index < 0 ? most : 0;
  return std::clamp(index, least, std::max(least, most));
}

struct Ends {
  std::size_t from = 0;
  std::size_t to = 0;
};

std::expected<Ends, Problem> ends_of(const Value& from, const Value& to, std::size_t size,
                                     std::string_view what) {
  const auto most = static_cast<std::int64_t>(size);
  std::int64_t begin = 0;
  std::int64_t end = most;
  if (!from.is_null()) {
    const auto index = to_integer(from);
    if (!index) {
      return not_a_number(from, what);
    }
    begin = clamped(*index, 0, most);
  }
  if (!to.is_null()) {
    const auto index = to_integer_up(to);
    if (!index) {
      return not_a_number(to, what);
    }
    end = clamped(*index, begin, most);
  }
  return Ends{static_cast<std::size_t>(begin), static_cast<std::size_t>(end)};
}

/// The byte at which character `count` of a text begins.
std::size_t byte_of(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; count > 0 && at < text.size(); --count) {
    at += first_rune(text.substr(at)).size;
  }
  return at;
}

struct SliceKey {
  const Value* from = nullptr;
  const Value* to = nullptr;
};

std::expected<SliceKey, Problem> slice_key(const Value& key) {
  const auto from = key.as_map().find("start");
  const auto to = key.as_map().find("end");
  if (from == key.as_map().end() || to == key.as_map().end()) {
    return problem("expected \"start\" and \"end\" for slicing but got: " + preview_with_type(key));
  }
  return SliceKey{&from->second, &to->second};
}

Value character_at(std::string_view text, std::int64_t index) {
  const auto count = static_cast<std::int64_t>(rune_count(text));
  index = clamped(index, -1, count);
  if (index < 0 || index >= count) {
    return {};
  }
  text.remove_prefix(byte_of(text, static_cast<std::size_t>(index)));
  return Value::text(valid_utf8(text.substr(0, first_rune(text).size)));
}

/// Changes a value along a path.
class Update {
 public:
  Update(const List& path, const Value& wanted, Budget& budget)
      : path_(path), wanted_(wanted), budget_(budget) {}

  Outcome run(Value value, std::size_t at) {
    if (at == path_.size()) {
      return wanted_;
    }
    const Value& key = path_[at];
    if (key.is(Kind::text)) {
      if (value.is_null() || value.is(Kind::map) || value.is(Kind::gone)) {
        return member(std::move(value), at);
      }
      return problem("expected an object but got: " + preview_with_type(value));
    }
    if (key.is_number() || key.is(Kind::map)) {
      if (value.is_null() || value.is(Kind::list) || value.is(Kind::gone)) {
        return key.is(Kind::map) ? slice(std::move(value), at) : element(std::move(value), at);
      }
      return expected_array(value);
    }
    if (value.is(Kind::list)) {
      return not_a_number(key, "an array");
    }
    return problem("expected a string for object key but got: " + preview_with_type(key));
  }

 private:
  bool deletes() const { return wanted_.is(Kind::gone); }

  Outcome member(Value value, std::size_t at) {
    if (value.is(Kind::gone)) {
      return value;
    }
    const std::string& key = path_[at].as_text();
    const bool is_there = value.is(Kind::map) && value.as_map().contains(key);
    if (!is_there && deletes()) {
      return value;
    }
    if (value.is_null()) {
      value = Value::map({});
    }
    budget_.spend(1 + (value.is_shared() ? value.as_map().size() * 4 : 0));
    Outcome inner = run(is_there ? value.take_member(key) : Value(), at + 1);
    if (inner) {
      value.set_member(key, *std::move(inner));
      return value;
    }
    return inner;
  }

  Outcome element(Value value, std::size_t at) {
    if (value.is(Kind::gone)) {
      return value;
    }
    // A larger index is an error.
    constexpr std::int64_t kMaximumIndex = 0x20000000;
    const std::int64_t wanted = *to_integer(path_[at]);
    const auto size = static_cast<std::int64_t>(value.is_null() ? 0 : value.as_list().size());
    std::int64_t index = clamped(wanted, -1, size);
    if (deletes() && (index < 0 || index >= size)) {
      return value;
    }
    if (index < 0) {
      return problem("array index should not be negative: " + preview(Value::integer(wanted)));
    }
    if (index >= size) {
      index = wanted;
      if (index >= kMaximumIndex) {
        return problem("array index too large: " + preview(Value::integer(index)));
      }
    }
    const std::int64_t copied = value.is_shared() ? size : 0;
    if (!budget_.spend(1 +
                       static_cast<std::uint64_t>(std::max<std::int64_t>(index - size, copied)))) {
      return value;
    }
    if (value.is_null()) {
      value = Value::list({});
    }
    const auto place = static_cast<std::size_t>(index);
    Outcome inner = run(index < size ? value.take_element(place) : Value(), at + 1);
    if (!inner) {
      return inner;
    }
    value.set_element(place, *std::move(inner));
    return value;
  }

  Outcome slice(Value value, std::size_t at) {
    if (value.is(Kind::gone)) {
      return value;
    }
    const auto key = slice_key(path_[at]);
    if (!key) {
      return std::unexpected(key.error());
    }
    const std::size_t size = value.is_null() ? 0 : value.as_list().size();
    const auto ends = ends_of(*key->from, *key->to, size, "an array");
    if (!ends) {
      return std::unexpected(ends.error());
    }
    if (ends->from == ends->to && deletes()) {
      return value;
    }
    if (deletes() && at + 1 == path_.size()) {
      budget_.spend(1 + ends->to - ends->from);
      for (std::size_t i = ends->from; i < ends->to; ++i) {
        value.set_element(i, Value::gone());
      }
      return value;
    }
    return replace(std::move(value), *ends, at);
  }

  /// A slice becomes what the rest of the path makes of it.
  Outcome replace(Value value, const Ends& ends, std::size_t at) {
    static const List kNone;
    const auto part = [&ends](const List& list) {
      return std::pair(list.begin() + static_cast<std::ptrdiff_t>(ends.from),
                       list.begin() + static_cast<std::ptrdiff_t>(ends.to));
    };
    const std::size_t length = ends.to - ends.from;
    budget_.spend(1 + length);
    const auto [first, last] = part(value.is_null() ? kNone : value.as_list());
    Outcome inner = run(Value::list(List(first, last)), at + 1);
    if (!inner) {
      return inner;
    }
    if (!inner->is(Kind::list)) {
      return expected_array(*inner);
    }
    const List& fresh = inner->as_list();
    if (fresh.size() == length && !value.is_null()) {
      budget_.spend(value.is_shared() ? value.as_list().size() : 0);
      for (std::size_t i = 0; i < length; ++i) {
        value.set_element(ends.from + i, fresh[i]);
      }
      return value;
    }
    const List& old = value.is_null() ? kNone : value.as_list();
    if (!budget_.spend(old.size() + fresh.size())) {
      return value;
    }
    const auto [begin, end] = part(old);
    List changed(old.begin(), begin);
    changed.insert(changed.end(), fresh.begin(), fresh.end());
    changed.insert(changed.end(), end, old.end());
    return Value::list(std::move(changed));
  }

  const List& path_;
  const Value& wanted_;
  Budget& budget_;
};

Outcome update(Value value, const List& path, const Value& wanted, Budget& budget) {
  if (path.size() > kMaximumDepth) {
    return over_limit("a path is too long");
  }
  return Update(path, wanted, budget).run(std::move(value), 0);
}

bool holds_gone(const Value& value, Budget& budget) {
  if (!budget.spend(1)) {
    return false;
  }
  if (value.is(Kind::list)) {
    return std::ranges::any_of(value.as_list(),
                               [&](const Value& element) { return holds_gone(element, budget); });
  }
  if (value.is(Kind::map)) {
    return std::ranges::any_of(
        value.as_map(), [&](const auto& member) { return holds_gone(member.second, budget); });
  }
  return value.is(Kind::gone);
}

Value without_gone(const Value& value, Budget& budget) {
  if (!holds_gone(value, budget)) {
    return value;
  }
  if (value.is(Kind::list)) {
    List kept;
    for (const Value& element : value.as_list()) {
      if (!element.is(Kind::gone)) {
        kept.push_back(without_gone(element, budget));
      }
    }
    return Value::list(std::move(kept));
  }
  if (value.is(Kind::map)) {
    Map kept;
    for (const auto& [key, held] : value.as_map()) {
      if (!held.is(Kind::gone)) {
        kept.emplace(key, without_gone(held, budget));
      }
    }
    return Value::map(std::move(kept));
  }
  return {};
}

}  // namespace

List places_of(const List& list, const List& part, Budget& budget) {
  List out;
  for (std::size_t i = 0; !part.empty() && i + part.size() <= list.size(); ++i) {
    std::size_t same = 0;
    while (same < part.size() && compare(list[i + same], part[same], budget) == 0 &&
           !budget.exhausted()) {
      ++same;
    }
    if (same == part.size()) {
      out.push_back(Value::integer(static_cast<std::int64_t>(i)));
    }
  }
  return out;
}

Outcome at_key(const Value& value, const Value& key, Budget& budget) {
  if (key.is(Kind::text)) {
    if (value.is(Kind::map)) {
      const auto found = value.as_map().find(key.as_text());
      return found == value.as_map().end() ? Value() : found->second;
    }
    return value.is_null() ? Outcome()
                           : problem("expected an object but got: " + preview_with_type(value));
  }
  if (key.is_number()) {
    const std::int64_t index = *to_integer(key);
    if (value.is(Kind::list)) {
      const auto size = static_cast<std::int64_t>(value.as_list().size());
      const std::int64_t place = clamped(index, -1, size);
      return place >= 0 && place < size ? value.as_list()[static_cast<std::size_t>(place)]
                                        : Value();
    }
    if (value.is(Kind::text)) {
      budget.spend_bytes(value.as_text().size());
      return character_at(value.as_text(), index);
    }
    return value.is_null() ? Outcome() : expected_array(value);
  }
  if (key.is(Kind::list)) {
    if (value.is(Kind::list)) {
      return Value::list(places_of(value.as_list(), key.as_list(), budget));
    }
    return value.is_null() ? Outcome() : expected_array(value);
  }
  if (key.is(Kind::map)) {
    if (value.is_null()) {
      return value;
    }
    const auto ends = slice_key(key);
    return ends ? slice_of(value, *ends->from, *ends->to, budget)
                : Outcome(std::unexpected(ends.error()));
  }
  if (value.is(Kind::list)) {
    return not_a_number(key, "an array");
  }
  return value.is(Kind::text)
             ? not_a_number(key, "a string")
             : problem("expected a string for object key but got: " + preview_with_type(key));
}

Outcome slice_of(const Value& value, const Value& from, const Value& to, Budget& budget) {
  if (value.is(Kind::list)) {
    const List& list = value.as_list();
    const auto ends = ends_of(from, to, list.size(), "an array");
    if (!ends) {
      return std::unexpected(ends.error());
    }
    if (ends->from == 0 && ends->to == list.size()) {
      // The same list: a path to it goes on.
      return value;
    }
    budget.spend(1 + (ends->to - ends->from) / 2);
    return Value::list(List(list.begin() + static_cast<std::ptrdiff_t>(ends->from),
                            list.begin() + static_cast<std::ptrdiff_t>(ends->to)));
  }
  if (value.is(Kind::text)) {
    const std::string& text = value.as_text();
    budget.spend_bytes(text.size());
    const auto ends = ends_of(from, to, rune_count(text), "a string");
    if (!ends) {
      return std::unexpected(ends.error());
    }
    const std::size_t begin = byte_of(text, ends->from);
    const std::size_t end = byte_of(text, ends->to);
    return Value::text(text.substr(begin, end - begin));
  }
  return value.is_null() ? Outcome() : expected_array(value);
}

Outcome set_path(Value value, const Value& path, const Value& wanted, Budget& budget) {
  if (!path.is(Kind::list)) {
    return not_for("setpath", path, value);
  }
  const std::string before = preview(value);
  auto changed = update(std::move(value), path.as_list(), wanted, budget);
  if (changed || changed.error().kind != Problem::Kind::message) {
    return changed;
  }
  return failed_for("setpath(" + preview(path) + "; " + preview(wanted) + ")", before,
                    changed.error().text);
}

Outcome get_path(const Value& value, const Value& path, Budget& budget) {
  if (!path.is(Kind::list)) {
    return not_for("getpath", path, value);
  }
  Value held = value;
  for (const Value& key : path.as_list()) {
    if (!held.is_null() && !held.is(Kind::list) && !held.is(Kind::map)) {
      return not_for("getpath", path, value);
    }
    auto inner = at_key(held, key, budget);
    if (!inner) {
      return failed_for("getpath(" + preview(path) + ")", preview(value), inner.error().text);
    }
    held = *std::move(inner);
    budget.spend(1);
  }
  return held;
}

Outcome delete_paths(Value value, const Value& paths, Budget& budget) {
  if (!paths.is(Kind::list)) {
    return not_for("delpaths", paths, value);
  }
  if (paths.as_list().empty()) {
    return value;
  }
  const std::string before = preview(value);
  const std::string name = "delpaths(" + preview(paths) + ")";
  for (const Value& path : paths.as_list()) {
    if (!path.is(Kind::list)) {
      return failed_for(name, before, expected_array(path).error().text);
    }
    auto changed = update(std::move(value), path.as_list(), Value::gone(), budget);
    if (!changed) {
      return changed.error().kind == Problem::Kind::message
                 ? failed_for(name, before, changed.error().text)
                 : std::move(changed);
    }
    value = *std::move(changed);
    if (!budget.spend(1)) {
      break;
    }
  }
  return without_gone(value, budget);
}

}  // namespace tiphys::lang::jq
