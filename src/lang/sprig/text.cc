/// Functions on text as a whole: cutting, joining, quoting, encoding.
#include "lang/gotext/gotext.h"
#include "lang/sprig/encoding.h"
#include "lang/sprig/functions.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang::sprig {
namespace {

/// At most `width` bytes, dots included; `width` is at least 4, and 7 with an offset.
Answer abbreviate(const Call& call, std::string_view text, std::int64_t offset,
                  std::int64_t width) {
  const auto size = static_cast<std::int64_t>(text.size());
  if (size <= width) {
    return text_answer(call, std::string(text));
  }
  const std::int64_t room = width - 3;
  offset = std::clamp<std::int64_t>(offset, 0, size);
  if (size - offset < room) {
    offset = size - room;
  }
  if (offset <= 4) {
    return text_answer(call, std::string(text.substr(0, static_cast<std::size_t>(room))) + "...");
  }
  if (offset + room < size) {
    // The rest is cut once more.
    const std::string_view rest = text.substr(static_cast<std::size_t>(offset));
    return text_answer(
        call, "..." + std::string(rest.substr(0, static_cast<std::size_t>(room - 3))) + "...");
  }
  return text_answer(call, "..." + std::string(text.substr(static_cast<std::size_t>(size - room))));
}

Answer abbrev(const Call& call) {
  const std::int64_t width = call.integer(0);
  return width < 4 ? Answer(call[1]) : abbreviate(call, call.text(1), 0, width);
}

Answer abbrevboth(const Call& call) {
  const std::int64_t left = call.integer(0);
  const std::int64_t right = call.integer(1);
  const bool narrow = right < 4 || (left > 0 && right < 7);
  return narrow ? Answer(call[2]) : abbreviate(call, call.text(2), left, right);
}

Answer trunc(const Call& call) {
  const std::int64_t count = call.integer(0);
  const std::string_view text = call.text(1);
  const auto size = static_cast<std::int64_t>(text.size());
  if (count < 0 && size + count > 0) {
    return text_answer(call, std::string(text.substr(static_cast<std::size_t>(size + count))));
  }
  if (count >= 0 && size > count) {
    return text_answer(call, std::string(text.substr(0, static_cast<std::size_t>(count))));
  }
  return call[1];
}

Answer substr(const Call& call) {
  const std::int64_t start = call.integer(0);
  const std::int64_t end = call.integer(1);
  const std::string_view text = call.text(2);
  const auto size = static_cast<std::int64_t>(text.size());
  if (start < 0) {
    if (end < 0) {
      return go_panic(fmt::format("slice bounds out of range [:{}]", end));
    }
    if (end > size) {
      return go_panic(fmt::format("slice bounds out of range [:{}] with length {}", end, size));
    }
    return text_answer(call, std::string(text.substr(0, static_cast<std::size_t>(end))));
  }
  const std::int64_t stop = end < 0 || end > size ? size : end;
  if (start > stop) {
    return go_panic(fmt::format("slice bounds out of range [{}:{}]", start, stop));
  }
  return text_answer(call, std::string(text.substr(static_cast<std::size_t>(start),
                                                   static_cast<std::size_t>(stop - start))));
}

Answer repeat(const Call& call) {
  const std::int64_t count = call.integer(0);
  if (count < 0) {
    return failure("strings: negative Repeat count");
  }
  const std::string_view text = call.text(1);
  if (text.empty()) {
    return call[1];
  }
  TRY_VOID(call.run.charge_text(static_cast<std::size_t>(count), text.size()));
  std::string out;
  out.reserve(text.size() * static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    out += text;
  }
  return ExprValue::string(std::move(out));
}

/// Every `from` by `to`; an empty `from` stands before each character and at the end.
Answer replaced(const Call& call, std::string_view text, std::string_view from,
                std::string_view to) {
  std::string out;
  std::size_t done = 0;
  const auto put = [&](std::size_t until, std::size_t next) -> Result<> {
    TRY_VOID(call.run.charge_text(until - done + to.size()));
    out += text.substr(done, until - done);
    out += to;
    done = next;
    return {};
  };
  if (from.empty()) {
    for (std::size_t at = 0;;) {
      TRY_VOID(put(at, at));
      if (at == text.size()) {
        break;
      }
      at += first_rune(text.substr(at)).size;
    }
  } else {
    for (std::size_t at = text.find(from); at != std::string_view::npos;
         at = text.find(from, done)) {
      TRY_VOID(put(at, at + from.size()));
    }
  }
  TRY_VOID(call.run.charge_text(text.size() - done));
  out += text.substr(done);
  return ExprValue::string(std::move(out));
}

Answer replace(const Call& call) {
  return replaced(call, call.text(2), call.text(0), call.text(1));
}

Answer indented(const Call& call, std::string_view before) {
  const std::int64_t spaces = call.integer(0);
  if (spaces < 0) {
    return failure("strings: negative Repeat count");
  }
  TRY_VOID(call.run.charge_text(static_cast<std::size_t>(spaces)));
  const std::string pad(static_cast<std::size_t>(spaces), ' ');
  TRY(const ExprValue body, replaced(call, call.text(1), "\n", "\n" + pad));
  return text_answer(call, std::string(before) + pad + std::string(body.as_string()));
}

bool in_set(std::string_view set, char32_t rune) {
  while (!set.empty()) {
    const auto [member, size] = first_rune(set);
    if (member == rune) {
      return true;
    }
    set.remove_prefix(size);
  }
  return false;
}

Answer trim_all(const Call& call) {
  const std::string_view set = call.text(0);
  std::string_view text = call.text(1);
  TRY_VOID(call.run.step(text.size() / 8 * (set.size() / 8 + 1)));
  for (auto rune = first_rune(text); rune.size > 0 && in_set(set, rune.rune);
       rune = first_rune(text)) {
    text.remove_prefix(rune.size);
  }
  for (auto rune = last_rune(text); rune.size > 0 && in_set(set, rune.rune);
       rune = last_rune(text)) {
    text.remove_suffix(rune.size);
  }
  return text_answer(call, std::string(text));
}

Answer trim_suffix(const Call& call) {
  std::string_view text = call.text(1);
  text.remove_suffix(text.ends_with(call.text(0)) ? call.text(0).size() : 0);
  return text_answer(call, std::string(text));
}

Answer trim_prefix(const Call& call) {
  std::string_view text = call.text(1);
  text.remove_prefix(text.starts_with(call.text(0)) ? call.text(0).size() : 0);
  return text_answer(call, std::string(text));
}

/// The arguments that are not nil, each as `show` gives it, with blanks between.
Answer spaced(const Call& call, std::string (*show)(const ExprValue&)) {
  std::string out;
  bool first = true;
  for (const ExprValue& value : call.arguments) {
    if (value.is_nil()) {
      continue;
    }
    std::string shown = show(value);
    TRY_VOID(call.run.charge_text(shown.size() + 1));
    out += first ? "" : " ";
    out += shown;
    first = false;
  }
  return ExprValue::string(std::move(out));
}

Answer quoted(const Call& call) {
  return spaced(call, [](const ExprValue& value) { return quote(printed(value)); });
}

Answer single_quoted(const Call& call) {
  return spaced(call, [](const ExprValue& value) { return "'" + value.text() + "'"; });
}

Answer cat(const Call& call) {
  return spaced(call, [](const ExprValue& value) { return value.text(); });
}

/// The text, or what is wrong with its encoding: the library swallows these errors that way.
Answer decoded(const Call& call, const Result<std::string>& bytes) {
  return text_answer(call, bytes ? *bytes : bytes.error().message);
}

constexpr Function kFunctions[] = {
    {"abbrev", "func(int, string) string", abbrev},
    {"abbrevboth", "func(int, int, string) string", abbrevboth},
    {"trunc", "func(int, string) string", trunc},
    {"trim", "func(string) string",
     [](const Call& call) { return text_answer(call, std::string(trim_space(call.text(0)))); }},
    {"upper", "func(string) string",
     [](const Call& call) { return text_answer(call, upper(call.text(0))); }},
    {"lower", "func(string) string",
     [](const Call& call) { return text_answer(call, lower(call.text(0))); }},
    {"substr", "func(int, int, string) string", substr},
    {"repeat", "func(int, string) string", repeat},
    {"trimall", "func(string, string) string", trim_all},
    {"trimAll", "func(string, string) string", trim_all},
    {"trimSuffix", "func(string, string) string", trim_suffix},
    {"trimPrefix", "func(string, string) string", trim_prefix},
    {"contains", "func(string, string) bool",
     [](const Call& call) -> Answer {
       return ExprValue::boolean(call.text(1).find(call.text(0)) != std::string_view::npos);
     }},
    {"hasPrefix", "func(string, string) bool",
     [](const Call& call) -> Answer {
       return ExprValue::boolean(call.text(1).starts_with(call.text(0)));
     }},
    {"hasSuffix", "func(string, string) bool",
     [](const Call& call) -> Answer {
       return ExprValue::boolean(call.text(1).ends_with(call.text(0)));
     }},
    {"quote", "func(...interface {}) string", quoted},
    {"squote", "func(...interface {}) string", single_quoted},
    {"cat", "func(...interface {}) string", cat},
    {"indent", "func(int, string) string", [](const Call& call) { return indented(call, ""); }},
    {"nindent", "func(int, string) string", [](const Call& call) { return indented(call, "\n"); }},
    {"replace", "func(string, string, string) string", replace},
    {"plural", "func(string, string, int) string",
     [](const Call& call) -> Answer { return call[call.integer(2) == 1 ? 0 : 1]; }},
    {"toString", "func(interface {}) string",
     [](const Call& call) { return text_answer(call, printed(call[0])); }},
    {"b64enc", "func(string) string",
     [](const Call& call) { return text_answer(call, base64_encode(call.text(0))); }},
    {"b64dec", "func(string) string",
     [](const Call& call) { return decoded(call, base64_decode(call.text(0))); }},
    {"b32enc", "func(string) string",
     [](const Call& call) { return text_answer(call, base32_encode(call.text(0))); }},
    {"b32dec", "func(string) string",
     [](const Call& call) { return decoded(call, base32_decode(call.text(0))); }},
    {"hello", "func() string", [](const Call& call) { return text_answer(call, "Hello!"); }},
    {"fail", "func(string) (string, error)",
     [](const Call& call) -> Answer { return failure(std::string(call.text(0))); }},
};

}  // namespace

std::span<const Function> text_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig
