#include "lang/depends/formula.h"

#include <algorithm>
#include <array>

namespace tiphys::lang {
namespace {

constexpr int kMaxDepth = 200;

constexpr std::array<ResultWord, 8> kWords = {{
    {"Succeeded", &TaskOutcome::succeeded},
    {"Failed", &TaskOutcome::failed},
    {"Errored", &TaskOutcome::errored},
    {"Skipped", &TaskOutcome::skipped},
    {"Omitted", &TaskOutcome::omitted},
    {"Daemoned", &TaskOutcome::daemoned},
    {"AnySucceeded", &TaskOutcome::any_succeeded},
    {"AllFailed", &TaskOutcome::all_failed},
}};

/// Words of the expression language that cannot be the name of a task in a formula.
constexpr std::array<std::string_view, 14> kKeywords = {
    "true", "false", "nil",  "not",     "and",      "or",         "in",
    "let",  "if",    "else", "matches", "contains", "startsWith", "endsWith"};

bool is_upper(char byte) { return byte >= 'A' && byte <= 'Z'; }

bool is_letter_byte(char byte) { return is_upper(byte) || (byte >= 'a' && byte <= 'z'); }

bool is_name_byte(char byte) { return is_letter_byte(byte) || (byte >= '0' && byte <= '9'); }

std::size_t run_end(std::string_view text, std::size_t at, bool (*part)(char)) {
  while (at < text.size() && part(text[at])) {
    ++at;
  }
  return at;
}

}  // namespace

std::span<const ResultWord> result_words() { return kWords; }

const ResultWord* find_result_word(std::string_view word) {
  const auto place = std::ranges::find(kWords, word, &ResultWord::word);
  return place == kWords.end() ? nullptr : &*place;
}

std::vector<TaskMention> find_mentions(std::string_view formula) {
  std::vector<TaskMention> mentions;
  for (std::size_t at = 0; at < formula.size();) {
    if (!is_name_byte(formula[at])) {
      ++at;
      continue;
    }
    const std::size_t end =
        run_end(formula, at, [](char byte) { return is_name_byte(byte) || byte == '-'; });
    TaskMention mention{
        .begin = at, .end = end, .task = formula.substr(at, end - at), .result = {}};
    // A result is a capital and at least one more letter behind a dot.
    if (end + 1 < formula.size() && formula[end] == '.' && is_upper(formula[end + 1])) {
      const std::size_t word_end = run_end(formula, end + 1, is_letter_byte);
      if (word_end > end + 2) {
        mention.end = word_end;
        mention.result = formula.substr(end + 1, word_end - end - 1);
      }
    }
    at = mention.end;
    mentions.push_back(mention);
  }
  return mentions;
}

class Formula::Compiler {
 public:
  Compiler(std::string_view text, std::span<const std::string> names)
      : text_(text), names_(names) {}

  std::optional<Formula> run() {
    if (!either() || peek() != 0) {
      return std::nullopt;
    }
    return std::move(formula_);
  }

 private:
  char peek() {
    at_ = run_end(text_, at_, [](char byte) {
      return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
    });
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool take(std::string_view symbol) {
    peek();
    if (!text_.substr(at_).starts_with(symbol)) {
      return false;
    }
    at_ += symbol.size();
    return true;
  }

  bool either() {
    if (!both()) {
      return false;
    }
    while (take("||")) {
      if (!both()) {
        return false;
      }
      formula_.steps_.push_back({.operation = Operation::either});
    }
    return true;
  }

  bool both() {
    if (!operand()) {
      return false;
    }
    while (take("&&")) {
      if (!operand()) {
        return false;
      }
      formula_.steps_.push_back({.operation = Operation::both});
    }
    return true;
  }

  bool operand() {
    if (depth_ == kMaxDepth) {
      return false;
    }
    const char first = peek();
    if (first != '!' && first != '(') {
      return outcome();
    }
    ++at_;
    ++depth_;
    const bool good = first == '!' ? operand() : either() && take(")");
    --depth_;
    if (first == '!') {
      formula_.steps_.push_back({.operation = Operation::invert});
    }
    return good;
  }

  bool outcome() {
    const std::size_t name_end =
        run_end(text_, at_, [](char byte) { return is_name_byte(byte) || byte == '_'; });
    const std::string_view name = text_.substr(at_, name_end - at_);
    if (name.empty() || !is_letter_byte(name.front()) ||
        std::ranges::find(kKeywords, name) != kKeywords.end() || name_end == text_.size() ||
        text_[name_end] != '.') {
      return false;
    }
    const std::size_t word_end =
        run_end(text_, name_end + 1, [](char byte) { return is_name_byte(byte) || byte == '_'; });
    const ResultWord* word = find_result_word(text_.substr(name_end + 1, word_end - name_end - 1));
    const auto place = std::ranges::find(names_, name);
    if (word == nullptr || place == names_.end()) {
      return false;
    }
    at_ = word_end;
    formula_.steps_.push_back({.operation = Operation::load,
                               .name = static_cast<std::uint32_t>(place - names_.begin()),
                               .word = word});
    return true;
  }

  std::string_view text_;
  std::span<const std::string> names_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Formula formula_;
};

std::optional<Formula> Formula::compile(std::string_view formula,
                                        std::span<const std::string> folded_names) {
  return Compiler(formula, folded_names).run();
}

bool Formula::evaluate(std::span<const TaskOutcome> outcomes) const {
  std::vector<bool> stack;
  for (const Step& step : steps_) {
    if (step.operation == Operation::load) {
      stack.push_back(outcomes[step.name].*(step.word->member));
      continue;
    }
    if (step.operation == Operation::invert) {
      stack.back() = !stack.back();
      continue;
    }
    const bool right = stack.back();
    stack.pop_back();
    stack.back() =
        step.operation == Operation::both ? stack.back() && right : stack.back() || right;
  }
  return stack.back();
}

}  // namespace tiphys::lang
