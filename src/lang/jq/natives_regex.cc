#include "lang/goregex/goregex.h"
#include "lang/gotext/gotext.h"
#include "lang/jq/json_form.h"
#include "lang/jq/native.h"

namespace tiphys::lang::jq {
namespace {

using Span = RegexMatches::Span;

/// Counts characters before places of a text; places mostly grow.
class Characters {
 public:
  explicit Characters(std::string_view text) : text_(text) {}

  std::int64_t before(std::size_t byte) {
    if (byte < byte_) {
      byte_ = 0;
      count_ = 0;
    }
    count_ += static_cast<std::int64_t>(rune_count(text_.substr(byte_, byte - byte_)));
    byte_ = byte;
    return count_;
  }

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::int64_t count_ = 0;
};

Map described(std::string_view text, const Span& span, Characters& characters) {
  const std::int64_t begin = characters.before(span.begin);
  return {{"offset", Value::integer(begin)},
          {"length", Value::integer(characters.before(span.end) - begin)},
          {"string", Value::text(std::string(text.substr(span.begin, span.end - span.begin)))}};
}

Value match_value(std::string_view text, const RE2& pattern, const RegexMatches& matches,
                  Characters& characters) {
  Map out = described(text, *matches.span(0), characters);
  const auto& names = pattern.CapturingGroupNames();
  List captures;
  for (int group = 1; group <= pattern.NumberOfCapturingGroups(); ++group) {
    const auto span = matches.span(static_cast<std::size_t>(group));
    Map capture = span ? described(text, *span, characters)
                       : Map{{"offset", Value::integer(-1)},
                             {"length", Value::integer(0)},
                             {"string", Value()}};
    const auto name = names.find(group);
    capture.emplace("name", name == names.end() ? Value() : Value::text(name->second));
    captures.push_back(Value::map(std::move(capture)));
  }
  out.emplace("captures", Value::list(std::move(captures)));
  return Value::map(std::move(out));
}

/// A pattern with its flags; compiling costs far more than a step.
std::expected<std::shared_ptr<const RE2>, Problem> compiled(std::string text,
                                                            std::string_view flags,
                                                            Budget& budget) {
  if (flags.find_first_not_of("gim") != std::string_view::npos) {
    return problem("unsupported regular expression flag: " + quote(flags));
  }
  if (flags.find('i') != std::string_view::npos) {
    text.insert(0, "(?i)");
  }
  if (flags.find('m') != std::string_view::npos) {
    text.insert(0, "(?s)");
  }
  constexpr std::uint64_t kSteps = 200;
  budget.spend(kSteps + text.size());
  auto pattern = compile_regex(text);
  if (!pattern) {
    return problem("invalid regular expression " + quote(text) + ": " + pattern.error().message);
  }
  return *std::move(pattern);
}

/// pattern, flags, whether to test only
Outcome match(const NativeCall& call) {
  const Value& flags = call.argument(1);
  const bool only_tests = call.argument(2).truthy();
  const bool fits = call.value.is(Kind::text) && call.argument(0).is(Kind::text) &&
                    (flags.is_null() || flags.is(Kind::text));
  if (!fits) {
    return not_for(std::string(only_tests ? "test" : "match") + "(" + preview(call.argument(0)) +
                       "; " + preview(flags) + ")",
                   call.value);
  }
  const std::string_view letters = flags.is_null() ? std::string_view() : flags.as_text();
  const auto pattern = compiled(call.argument(0).as_text(), letters, call.budget);
  if (!pattern) {
    return std::unexpected(pattern.error());
  }
  const std::string_view text = call.value.as_text();
  call.budget.spend_bytes(text.size());
  if (only_tests) {
    return Value::boolean(RE2::PartialMatch({text.data(), text.size()}, **pattern));
  }
  const bool is_global = letters.find('g') != std::string_view::npos;
  const auto groups = static_cast<std::size_t>((*pattern)->NumberOfCapturingGroups()) + 1;
  RegexMatches matches(**pattern, text, groups);
  Characters characters(text);
  List out;
  while ((is_global || out.empty()) && matches.next() &&
         call.budget.spend(8 * groups + (text.size() - matches.span(0)->begin) / 256)) {
    out.push_back(match_value(text, **pattern, matches, characters));
  }
  return Value::list(std::move(out));
}

Outcome captures(const NativeCall& call) {
  if (!call.value.is(Kind::list)) {
    return problem("expected an array but got: " + preview_with_type(call.value));
  }
  Map out;
  for (const Value& capture : call.value.as_list()) {
    if (!capture.is(Kind::map)) {
      continue;
    }
    const auto name = capture.as_map().find("name");
    if (name != capture.as_map().end() && name->second.is(Kind::text)) {
      const auto text = capture.as_map().find("string");
      out.insert_or_assign(name->second.as_text(),
                           text == capture.as_map().end() ? Value() : text->second);
    }
  }
  return Value::map(std::move(out));
}

constexpr Native kNatives[] = {{"_match", 3, match}, {"_captures", 0, captures}};

}  // namespace

std::span<const Native> regex_natives() { return kNatives; }

}  // namespace tiphys::lang::jq
