#pragma once
/// `{{tags}}` in text, nearly always the JSON of an object: simple tags `{{inputs.parameters.x}}`
/// and expression tags `{{=asInt(item) + 1}}`. A `TagText` is a text that was scanned once and can
/// be filled many times; a `Scope` is what it is filled from; `TagRules` say what must resolve.
///
/// The text is cut at `{{` and the first `}}` after it. A simple tag's name is looked up without
/// the blanks around it; what it names is written as Go quotes it. A tag that holds another `{{`
/// and names nothing has its inner part looked up instead: tags resolve inside out, one level a
/// pass. An expression is run over the scope unfolded at its dots.
///
/// Source of the rules: Argo Workflows v4.1.2 util/template, util/expand, util/expr/env; error
/// texts are theirs.

#include "base/error.h"
#include "lang/expr/expr.h"
#include "lang/tags/scope.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tiphys::lang {

/// Which tags must resolve. The others stay in the text as they are.
class Strictness {
 public:
  /// None; an expression that fails stays too.
  static Strictness lenient() { return {Mode::lenient, {}}; }

  /// Every tag.
  static Strictness everything() { return {Mode::everything, {}}; }

  /// Names that are one of the prefixes or go on behind it with a dot; artifacts of outputs may
  /// stay. Without prefixes this is `lenient`.
  static Strictness prefixes(std::vector<std::string> prefixes);

  bool is_lenient() const { return mode_ == Mode::lenient; }

  bool demands(std::string_view name) const;
  /// The same for simple tags, which leave references to artifacts to those who resolve artifacts.
  bool demands_tag(std::string_view name) const;

 private:
  enum class Mode { lenient, everything, prefixes };

  Strictness(Mode mode, std::vector<std::string> prefixes)
      : mode_(mode), prefixes_(std::move(prefixes)) {}

  Mode mode_;
  std::vector<std::string> prefixes_;
};

struct TagRules {
  Strictness strictness = Strictness::lenient();
  /// `hide` treats absent optionals as names that do not exist.
  ScopeEnvironment::Nil nil = ScopeEnvironment::Nil::keep;
  /// What expressions can call.
  const ExprEnvironment* functions = &argo_functions();
  ExprRuntime runtime = {};
  /// Whether a result that is no JSON gives upstream's general sentence or says what is wrong.
  enum class Complaint { general, exact } complaint = Complaint::general;
};

/// The parsed form of an expression tag.
struct TagExpression;

/// Parsed expressions by their text, for texts that are scanned again and again with the same
/// expressions in them. Forgets everything when it holds 4096. Not for several threads at once.
class ExpressionCache {
 public:
  std::shared_ptr<const TagExpression> get(std::string_view text);

 private:
  std::unordered_map<std::string, std::shared_ptr<const TagExpression>> expressions_;
};

class TagText {
 public:
  enum class Format {
    /// JSON from outside: checked before and after.
    json,
    /// JSON our own writer made: checked after.
    own_json,
    /// Anything; nothing is checked.
    text,
  };

  /// Errors: bad_request, for text that is not JSON and for `{{` without `}}`.
  static Result<TagText> scan(std::string text, Format format = Format::json,
                              ExpressionCache* cache = nullptr);

  bool has_tags() const { return !tags_.empty(); }

  const std::string& text() const { return text_; }

  /// The names of the simple tags in order, blanks included, as validation sees them.
  std::vector<std::string_view> simple_tags() const;

  /// The text with its tags filled. Errors: bad_request, as upstream words them; see
  /// is_missing_variable.
  Result<std::string> replace(const Scope& scope, const TagRules& rules = {}) const;

 private:
  struct Tag {
    /// Of "{{" and behind "}}".
    std::size_t begin = 0;
    std::size_t end = 0;
    /// Begins and ends in one JSON string, so that filling it cannot break the JSON around it.
    bool inside_string = true;
    std::size_t name_begin = 0;
    std::size_t name_size = 0;
    std::size_t name_hash = 0;
    /// Behind the last inner "{{", 0 when there is none.
    std::size_t nested_begin = 0;
    std::size_t nested_hash = 0;
    /// Of an expression tag.
    std::shared_ptr<const TagExpression> expression;
  };

  enum class Safety { safe, unsafe };

  TagText(std::string text, Format format) : text_(std::move(text)), format_(format) {}

  Result<> find_tags(ExpressionCache* cache);
  void mark_tags_inside_strings();
  std::string_view body_of(const Tag& tag) const;
  Result<Safety> fill(std::string& out, const Tag& tag, const Scope& scope,
                      const TagRules& rules) const;
  Result<Safety> fill_unknown(std::string& out, const Tag& tag, const Scope& scope,
                              const TagRules& rules) const;

  std::string text_;
  Format format_;
  std::vector<Tag> tags_;
};

/// Scans and fills once. `text` comes back as it is when it holds no tag.
Result<std::string> replace_tags(std::string text, const Scope& scope, const TagRules& rules = {},
                                 TagText::Format format = TagText::Format::json,
                                 ExpressionCache* cache = nullptr);

/// Whether an error of `replace` means that a variable may yet appear, so that the caller tries
/// again later (upstream's IsMissingVariableErr).
bool is_missing_variable(const Error& error);

struct ResolvedTag {
  /// The tag without braces and blanks.
  std::string tag;
  ExprValue value;
};

/// What a single reference stands for, as `from` and `fromExpression` of artifacts use it: a name
/// of the scope, or behind `=` an expression over the names of the scope as they are (dots and
/// all). Errors: bad_request.
Result<ResolvedTag> resolve_tag(std::string_view tag, const Scope& scope,
                                const ExprRuntime& runtime = {});

}  // namespace tiphys::lang
