#pragma once
/// Manifest text with tags, and the other small languages as the engine asks them: a thin layer
/// over src/lang that hands the engine's scopes in and turns errors into the words of a node's
/// message.

#include "lang/loops/loops.h"
#include "lang/tags/scope.h"
#include "workflows/engine/node.h"

#include <functional>

namespace tiphys::workflows {

using lang::Scope;

/// While one lives, expressions see its moment as the present (now(), sprig.date), that of the
/// event being applied, and draw what looks random (sprig.uuidv4, randAlpha) from its seed, so that
/// what an expression gives follows from the run and its events alone. Without one they have
/// neither. One at a time on a thread.
class Present {
 public:
  Present(TimePoint moment, std::uint64_t seed);
  Present(const Present&) = delete;
  Present& operator=(const Present&) = delete;
  ~Present();
};

/// Which tags must resolve.
enum class Strictness : std::uint8_t {
  lenient,
  steps_and_tasks,  ///< those that name outputs of steps and tasks
  all,
};

/// JSON text that may hold tags; scanned once, replaced many times.
class TagText {
 public:
  TagText() = default;
  /// Errors: invalid, when a tag does not end.
  static Result<TagText> parse(std::string json);

  bool has_tags() const { return parsed_ != nullptr; }

  const std::string& text() const { return text_; }

  /// Error invalid: a tag that must resolve does not, or the result is no JSON.
  Result<std::string> replace(const Scope& scope, Strictness strictness) const;

 private:
  struct Parsed;
  std::string text_;
  std::shared_ptr<const Parsed> parsed_;
};

/// Replaces tags in JSON text that is used once.
Result<std::string> replace_tags(std::string json, const Scope& scope, Strictness strictness);

/// Upstream substitutes a template twice, first with what is known of the workflow and the node,
/// then also with its inputs. One pass with everything gives the same unless a value brings tags of
/// its own; then the passes are made one after the other. `inputs` is a layer over `locals`.
Result<std::string> replace_in_passes(const TagText& text, const Scope& locals,
                                      const Scope& inputs);

/// Whether a step with this (substituted) condition is to run.
Result<bool> should_execute(std::string_view when);

/// An expression without braces over the scope. Error bad_request when it cannot be evaluated.
Result<lang::ExprValue> evaluate(std::string_view expression, const Scope& scope);
/// An expression without braces over the scope, as valueFrom.expression, fromExpression and hooks
/// use it. Error bad_request when it cannot be evaluated or gives nil.
Result<std::string> evaluate_text(std::string_view expression, const Scope& scope);
Result<bool> evaluate_bool(std::string_view expression, const Scope& scope);
Result<Artifact> evaluate_artifact(std::string_view expression, const Scope& scope);

/// An artifact as a variable, and back. Nothing when the variable is no artifact.
lang::ExprValue variable_of(const Artifact& artifact);
std::optional<Artifact> artifact_of(const lang::ExprValue& variable);

/// A duration as upstream's ParseStringToDuration takes it: "10" seconds, "1h30m".
Result<std::chrono::milliseconds> parse_timeout(std::string_view text);

/// The elements of a loop, made one at a time.
class LoopItems {
 public:
  /// Of a call whose references are resolved. Errors (invalid) in upstream's words.
  static Result<LoopItems> of(const Call& call);

  std::size_t size() const { return count_; }

  /// The name of element `index` of the loop `call_name`, "step(0:a)"; its variables go into
  /// `scope`.
  Result<std::string> item(std::string_view call_name, std::size_t index, Scope& scope) const;

 private:
  std::shared_ptr<const lang::ItemList> items_;
  std::size_t count_ = 0;
};

/// A loop's results and values of one parameter as JSON lists (reference 2.7). Error: a result is
/// no JSON.
Result<std::string> aggregate_results(const std::vector<std::string>& results);
std::string aggregate_values(const std::vector<std::string>& values);

}  // namespace tiphys::workflows
