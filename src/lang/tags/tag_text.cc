#include "lang/tags/tag_text.h"

#include "lang/gotext/gotext.h"
#include "lang/jsontext/json_text.h"
#include "lang/tags/tag_expression.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::lang {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::size_t kMaxCachedExpressions = 4096;

std::unexpected<Error> refuse(std::string message) {
  return fail(ErrorCode::bad_request, std::move(message));
}

/// Trims as Go does; blanks are ASCII in all but odd cases.
std::string_view trimmed(std::string_view text) {
  const auto plain = [](char byte) {
    return static_cast<unsigned char>(byte) > ' ' && static_cast<unsigned char>(byte) < 0x80;
  };
  if (!text.empty() && plain(text.front()) && plain(text.back())) {
    return text;
  }
  return trim_space(text);
}

}  // namespace

Strictness Strictness::prefixes(std::vector<std::string> prefixes) {
  if (prefixes.empty()) {
    return lenient();
  }
  return {Mode::prefixes, std::move(prefixes)};
}

bool Strictness::demands(std::string_view name) const {
  if (mode_ != Mode::prefixes) {
    return mode_ == Mode::everything;
  }
  return std::ranges::any_of(prefixes_, [name](const std::string& prefix) {
    return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '.');
  });
}

bool Strictness::demands_tag(std::string_view name) const {
  const bool left_to_others =
      mode_ == Mode::prefixes && name.find(".outputs.artifacts.") != std::string_view::npos;
  return !left_to_others && demands(name);
}

std::shared_ptr<const TagExpression> ExpressionCache::get(std::string_view text) {
  std::string key(text);
  if (const auto place = expressions_.find(key); place != expressions_.end()) {
    return place->second;
  }
  if (expressions_.size() >= kMaxCachedExpressions) {
    expressions_.clear();
  }
  auto expression = parse_tag_expression(text);
  expressions_.emplace(std::move(key), expression);
  return expression;
}

Result<TagText> TagText::scan(std::string text, Format format, ExpressionCache* cache) {
  if (format == Format::json && json_problem(text)) {
    return refuse("cannot do template replacements with invalid JSON");
  }
  TagText scanned(std::move(text), format);
  TRY_VOID(scanned.find_tags(cache));
  if (format != Format::text && scanned.has_tags()) {
    scanned.mark_tags_inside_strings();
  }
  return scanned;
}

Result<> TagText::find_tags(ExpressionCache* cache) {
  const std::string_view text = text_;
  for (std::size_t begin = text.find(kOpen); begin != std::string_view::npos;) {
    const std::size_t body = begin + kOpen.size();
    const std::size_t close = text.find(kClose, body);
    if (close == std::string_view::npos) {
      return refuse(fmt::format(R"(Cannot find end tag="}}}}" in the template={} starting from {})",
                                quote(text), quote(text.substr(body))));
    }
    Tag tag;
    tag.begin = begin;
    tag.end = close + kClose.size();
    const std::string_view content = text.substr(body, close - body);
    if (content.starts_with('=')) {
      const std::string_view expression = content.substr(1);
      tag.expression = cache != nullptr ? cache->get(expression) : parse_tag_expression(expression);
    } else {
      const std::string_view name = trimmed(content);
      tag.name_begin = static_cast<std::size_t>(name.data() - text.data());
      tag.name_size = name.size();
      tag.name_hash = ScopeKey::of(name).hash;
      const std::size_t inner = content.rfind(kOpen);
      if (inner != std::string_view::npos && inner > 0) {
        tag.nested_begin = body + inner + kOpen.size();
        tag.nested_hash =
            ScopeKey::of(text.substr(tag.nested_begin, close - tag.nested_begin)).hash;
      }
    }
    begin = text.find(kOpen, tag.end);
    tags_.push_back(std::move(tag));
  }
  return {};
}

void TagText::mark_tags_inside_strings() {
  // In JSON "{{" only stands inside strings; a tag leaves its string when a quote ends it.
  bool in_string = false;
  std::size_t at = 0;
  for (Tag& tag : tags_) {
    bool left = false;
    for (; at < tag.end; ++at) {
      if (in_string && text_[at] == '\\') {
        ++at;
      } else if (text_[at] == '"') {
        in_string = !in_string;
        left = left || at >= tag.begin;
      }
    }
    tag.inside_string = !left && in_string;
  }
}

std::string_view TagText::body_of(const Tag& tag) const {
  return std::string_view(text_).substr(tag.begin + kOpen.size(),
                                        tag.end - tag.begin - kOpen.size() - kClose.size());
}

std::vector<std::string_view> TagText::simple_tags() const {
  std::vector<std::string_view> names;
  for (const Tag& tag : tags_) {
    if (!tag.expression) {
      names.push_back(body_of(tag));
    }
  }
  return names;
}

Result<TagText::Safety> TagText::fill(std::string& out, const Tag& tag, const Scope& scope,
                                      const TagRules& rules) const {
  const auto safety_of = [](JsonSafety safety) {
    return safety == JsonSafety::safe ? Safety::safe : Safety::unsafe;
  };
  if (tag.expression) {
    TRY(const JsonSafety safety, fill_expression(out, *tag.expression, scope, rules));
    return safety_of(safety);
  }
  const ScopeKey key{std::string_view(text_).substr(tag.name_begin, tag.name_size), tag.name_hash};
  const ExprValue* value = scope.find(key);
  if (value != nullptr && value->is_nil() && rules.nil == ScopeEnvironment::Nil::hide) {
    value = nullptr;
  }
  if (value == nullptr) {
    return fill_unknown(out, tag, scope, rules);
  }
  if (value->kind() == ExprKind::string) {
    return safety_of(append_go_escaped(out, value->as_string()));
  }
  if (value->is_nil()) {
    return refuse(
        fmt::format("unable to substitute {{{{{}}}}}: output is an absent optional "
                    "(skipped/omitted node with no default)",
                    body_of(tag)));
  }
  return refuse(fmt::format("failed to resolve {{{{{}}}}} to string", body_of(tag)));
}

Result<TagText::Safety> TagText::fill_unknown(std::string& out, const Tag& tag, const Scope& scope,
                                              const TagRules& rules) const {
  const std::string_view text = text_;
  if (tag.nested_begin != 0) {
    const std::size_t end = tag.end - kClose.size();
    const std::string_view name = text.substr(tag.nested_begin, end - tag.nested_begin);
    const ExprValue* value = scope.find({name, tag.nested_hash});
    if (value != nullptr && value->is_nil() && rules.nil == ScopeEnvironment::Nil::keep) {
      return refuse(
          fmt::format("unable to substitute nested tag {{{{{}}}}}: {} is an absent optional",
                      body_of(tag), quote(name)));
    }
    if (value != nullptr && value->kind() == ExprKind::string) {
      out.append(text, tag.begin, tag.nested_begin - kOpen.size() - tag.begin);
      return append_go_escaped(out, value->as_string()) == JsonSafety::safe ? Safety::safe
                                                                            : Safety::unsafe;
    }
  }
  if (rules.strictness.demands_tag(text.substr(tag.name_begin, tag.name_size))) {
    return refuse(fmt::format("failed to resolve {{{{{}}}}}", body_of(tag)));
  }
  out.append(text, tag.begin, tag.end - tag.begin);
  return Safety::safe;
}

Result<std::string> TagText::replace(const Scope& scope, const TagRules& rules) const {
  std::string out;
  out.reserve(text_.size() + 64);
  std::size_t at = 0;
  bool is_safe = true;
  for (const Tag& tag : tags_) {
    out.append(text_, at, tag.begin - at);
    TRY(const Safety safety, fill(out, tag, scope, rules));
    is_safe = is_safe && tag.inside_string && safety == Safety::safe;
    at = tag.end;
  }
  out.append(text_, at, std::string::npos);
  if (is_safe || format_ == Format::text) {
    return out;
  }
  if (auto problem = json_problem(out)) {
    return refuse(rules.complaint == TagRules::Complaint::exact
                      ? *std::move(problem)
                      : "cannot finish template replacement because the result was invalid JSON");
  }
  return out;
}

Result<std::string> replace_tags(std::string text, const Scope& scope, const TagRules& rules,
                                 TagText::Format format, ExpressionCache* cache) {
  if (text.find(kOpen) == std::string::npos &&
      (format != TagText::Format::json || !json_problem(text))) {
    return text;
  }
  TRY(const TagText scanned, TagText::scan(std::move(text), format, cache));
  return scanned.replace(scope, rules);
}

bool is_missing_variable(const Error& error) {
  return error.message.find("failed to resolve {{") != std::string::npos ||
         error.message.find(" is missing") != std::string::npos ||
         error.message.find("variable not in env") != std::string::npos;
}

}  // namespace tiphys::lang
