#pragma once
/// The compiled form of what `depends` formulas nearly always are: and, or, not and brackets over
/// outcomes. Private to the module.

#include "lang/depends/depends.h"

#include <cstdint>

namespace tiphys::lang {

/// A member of TaskOutcome and what it is called in a formula.
struct ResultWord {
  std::string_view word;
  bool TaskOutcome::* member;
};

std::span<const ResultWord> result_words();
const ResultWord* find_result_word(std::string_view word);

/// A name or `name.Result` in a formula, as upstream's regular expressions find them.
struct TaskMention {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view task;
  /// Empty for a bare name.
  std::string_view result;
};

/// All mentions from left to right.
std::vector<TaskMention> find_mentions(std::string_view formula);

class Formula {
 public:
  /// Compiles a formula whose names had `-` replaced by `_`; `folded_names` likewise. Nothing when
  /// it is anything else than outcomes of these names joined by && || ! and brackets.
  static std::optional<Formula> compile(std::string_view formula,
                                        std::span<const std::string> folded_names);

  /// `outcomes` in the order of the names.
  bool evaluate(std::span<const TaskOutcome> outcomes) const;

 private:
  enum class Operation : std::uint8_t { load, invert, both, either };

  struct Step {
    Operation operation;
    std::uint32_t name = 0;
    const ResultWord* word = nullptr;
  };

  class Compiler;

  /// In the order of a stack machine.
  std::vector<Step> steps_;
};

}  // namespace tiphys::lang
