#include "workflows/engine/tag_text.h"

#include "lang/gotime/gotime.h"
#include "lang/jsontext/json_text.h"
#include "lang/names/names.h"
#include "lang/sprig/sprig.h"
#include "lang/tags/artifact.h"
#include "lang/tags/tag_text.h"
#include "lang/when/when.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <span>

namespace tiphys::workflows {

struct TagText::Parsed {
  lang::TagText text;
};

namespace {

/// A loop with more items than any workflow is built for would only fill the memory.
constexpr std::size_t kMaximumItems = 1'000'000;

using Format = lang::TagText::Format;

/// Argo's own functions and Sprig's. Those that need the time, randomness or the network are errors
/// here: what an expression gives must follow from the run.
thread_local std::optional<TimePoint> present;
thread_local std::uint64_t seed_of_present = 0;

/// SplitMix64 from the present's seed; without a present the same bytes always, which Sprig
/// refuses.
void draw(std::span<unsigned char> bytes) {
  if (!present) {
    std::ranges::fill(bytes, static_cast<unsigned char>(0xFF));
    return;
  }
  for (unsigned char& byte : bytes) {
    std::uint64_t mixed = seed_of_present += 0x9E3779B97F4A7C15ULL;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
    byte = static_cast<unsigned char>(mixed ^ (mixed >> 31U));
  }
}

const lang::ExprEnvironment& functions() {
  static const lang::ExprTable kSprig = [] {
    lang::ExprTable table;
    lang::SprigContext context;
    context.random = draw;
    lang::add_sprig(table, std::move(context));
    return table;
  }();
  static const lang::ExprOverlay kFunctions(lang::argo_functions(), kSprig);
  return kFunctions;
}

/// Asks for the present only where there is one: without it now() is an error.
lang::ExprRuntime runtime() {
  lang::ExprRuntime out;
  out.now = [] {
    const auto moment = present.value_or(kNoTime).time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(moment);
    lang::Instant instant;
    instant.unix_seconds = seconds.count();
    instant.nanosecond =
        static_cast<std::int32_t>(std::chrono::nanoseconds(moment - seconds).count());
    return instant;
  };
  return out;
}

lang::TagRules with_functions(lang::Strictness strictness) {
  lang::TagRules out{.strictness = std::move(strictness)};
  out.functions = &functions();
  out.runtime = runtime();
  return out;
}

const lang::TagRules& rules_of(Strictness strictness) {
  static const lang::TagRules kLenient = with_functions(lang::TagRules{}.strictness);
  static const lang::TagRules kCalls =
      with_functions(lang::Strictness::prefixes({"steps", "tasks"}));
  static const lang::TagRules kAll = with_functions(lang::Strictness::everything());
  switch (strictness) {
    case Strictness::lenient:
      return kLenient;
    case Strictness::steps_and_tasks:
      return kCalls;
    case Strictness::all:
      break;
  }
  return kAll;
}

}  // namespace

Present::Present(TimePoint moment, std::uint64_t seed) {
  present = moment;
  seed_of_present = seed;
}

Present::~Present() { present.reset(); }

Result<TagText> TagText::parse(std::string json) {
  TagText out;
  if (!json.contains("{{")) {
    out.text_ = std::move(json);
    return out;
  }
  TRY(auto scanned, lang::TagText::scan(std::move(json), Format::own_json));
  out.text_ = scanned.text();
  if (scanned.has_tags()) {
    out.parsed_ = std::make_shared<const Parsed>(Parsed{std::move(scanned)});
  }
  return out;
}

Result<std::string> TagText::replace(const Scope& scope, Strictness strictness) const {
  if (!parsed_) {
    return text_;
  }
  return parsed_->text.replace(scope, rules_of(strictness));
}

Result<std::string> replace_tags(std::string json, const Scope& scope, Strictness strictness) {
  if (!json.contains("{{")) {
    return json;
  }
  return lang::replace_tags(std::move(json), scope, rules_of(strictness), Format::own_json);
}

Result<std::string> replace_in_passes(const TagText& text, const Scope& locals,
                                      const Scope& inputs) {
  if (!text.has_tags()) {
    return text.text();
  }
  TRY(auto merged, text.replace(inputs, Strictness::lenient));
  if (!merged.contains("{{")) {
    return merged;
  }
  TRY(auto first, text.replace(locals, Strictness::lenient));
  return replace_tags(std::move(first), inputs, Strictness::lenient);
}

Result<bool> should_execute(std::string_view when) {
  return when.empty() ? Result<bool>(true) : lang::should_execute(when);
}

Result<lang::ExprValue> evaluate(std::string_view expression, const Scope& scope) {
  TRY(const auto parsed, lang::Expr::parse(expression));
  const lang::ScopeEnvironment environment(scope, functions());
  return parsed.run(environment, runtime());
}

Result<std::string> evaluate_text(std::string_view expression, const Scope& scope) {
  TRY(const auto value, evaluate(expression, scope));
  if (value.is_nil()) {
    std::string quoted;
    doc::append_json_string(quoted, expression, false);
    return fail(ErrorCode::bad_request, "failed to evaluate expression " + quoted);
  }
  if (value.kind() == lang::ExprKind::string) {
    return std::string(value.as_string());
  }
  TRY(auto json, value.to_json());
  return any_string(json);
}

Result<bool> evaluate_bool(std::string_view expression, const Scope& scope) {
  TRY(const auto parsed, lang::Expr::parse(expression));
  const lang::ScopeEnvironment environment(scope, functions());
  return parsed.run_bool(environment, runtime());
}

Result<Artifact> evaluate_artifact(std::string_view expression, const Scope& scope) {
  TRY(const auto value, evaluate(expression, scope));
  auto artifact = artifact_of(value);
  if (!artifact) {
    return fail(ErrorCode::bad_request,
                "Variable {{" + std::string(expression) + "}} is not an artifact");
  }
  return std::move(*artifact);
}

lang::ExprValue variable_of(const Artifact& artifact) {
  return lang::artifact_value(encode_artifact(artifact));
}

std::optional<Artifact> artifact_of(const lang::ExprValue& variable) {
  if (variable.kind() != lang::ExprKind::object) {
    return std::nullopt;
  }
  doc::Object arguments;
  arguments["artifacts"] = doc::Array{variable.as_object()->to_json()};
  auto decoded = decode_arguments(arguments);
  if (!decoded || decoded->artifacts.empty()) {
    return std::nullopt;
  }
  return std::move(decoded->artifacts.front());
}

Result<std::chrono::milliseconds> parse_timeout(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    return std::chrono::seconds(seconds);
  }
  auto duration = lang::parse_duration(text);
  if (!duration) {
    return fail(ErrorCode::invalid, "unable to parse " + std::string(text) +
                                        " as a duration: " + duration.error().message);
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
}

Result<LoopItems> LoopItems::of(const Call& call) {
  lang::LoopFields fields;
  if (call.has_with_items) {
    fields.items = doc::to_json(call.with_items);
  }
  fields.param = call.with_param.value_or("");
  if (call.with_sequence) {
    const Sequence& sequence = *call.with_sequence;
    fields.sequence = {sequence.start, sequence.end, sequence.count, sequence.format};
  }
  TRY(auto items, lang::loop_items(fields));
  LoopItems out;
  if (items) {
    if (items->size() > kMaximumItems) {
      return fail(ErrorCode::invalid, "loop has " + std::to_string(items->size()) +
                                          " items, more than the " + std::to_string(kMaximumItems) +
                                          " that are allowed");
    }
    out.count_ = items->size();
    out.items_ = std::make_shared<const lang::ItemList>(std::move(*items));
  }
  return out;
}

Result<std::string> LoopItems::item(std::string_view call_name, std::size_t index,
                                    Scope& scope) const {
  TRY(const auto json, items_->json_at(index));
  const std::string description = lang::bind_item(scope, lang::Item(json));
  return lang::loop_child_name(call_name, index, description);
}

Result<std::string> aggregate_results(const std::vector<std::string>& results) {
  std::string out = "[";
  for (const std::string& result : results) {
    if (const auto problem = lang::json_problem(result)) {
      return fail(ErrorCode::invalid, *problem);
    }
    if (out.size() > 1) {
      out += ',';
    }
    lang::append_compact_json(out, result);
  }
  return out + "]";
}

std::string aggregate_values(const std::vector<std::string>& values) {
  std::string parsed = "[";
  bool all_composite = true;
  for (const std::string& value : values) {
    const auto document = doc::parse_json(value);
    if (!document || !(document->is_array() || document->is_object())) {
      all_composite = false;
      break;
    }
    parsed += parsed.size() > 1 ? "," : "";
    doc::append_json(parsed, *document, {.sort_keys = true});
  }
  if (all_composite) {
    return parsed + "]";
  }
  std::string out = "[";
  for (const std::string& value : values) {
    out += out.size() > 1 ? "," : "";
    doc::append_json_string(out, value);
  }
  return out + "]";
}

}  // namespace tiphys::workflows
