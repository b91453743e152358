#include "lang/sprig/runes.h"

#include "lang/gotext/gotext.h"

#include <re2/re2.h>

#include <vector>

namespace tiphys::lang::sprig {
namespace {

bool in_class(const RE2& pattern, char32_t rune) {
  std::string text;
  append_rune(text, rune);
  return RE2::FullMatch(text, pattern);
}

bool is_connector(char32_t rune) { return rune == U'-' || rune == U'_' || is_space(rune); }

/// Letters that have words of several characters; Chinese ones are words of their own.
bool is_alphabet(char32_t rune) {
  const bool chinese = (rune >= 0x4E00 && rune <= 0x9FCC) || (rune >= 0x3400 && rune <= 0x4D85) ||
                       (rune >= 0x20000 && rune <= 0x2B81D);
  return !chinese && is_letter(rune);
}

enum class WordKind { none, number, upper, alphabet, connector, punctuation, other };

struct Word {
  WordKind kind = WordKind::none;
  std::string_view text;
};

/// Cuts a text into words of one kind each. Bytes that are no UTF-8 belong to the character behind
/// them, at the end of the text to the one before.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}

  std::vector<Word> read() {
    std::vector<Word> words;
    while (at_ < text_.size()) {
      const std::size_t begin = at_;
      const WordKind kind = next();
      words.push_back({kind, text_.substr(begin, at_ - begin)});
    }
    return words;
  }

 private:
  /// The next character, `previous` when only broken bytes are left; `at_` moves to `end_`.
  char32_t peek(char32_t previous) {
    end_ = at_;
    while (end_ < text_.size()) {
      const auto [rune, size] = first_rune(text_.substr(end_));
      end_ += size;
      if (rune != kReplacementRune) {
        return rune;
      }
    }
    return previous;
  }

  /// Takes characters as long as they fit; gives the first one that does not.
  template <class Fits>
  char32_t take_while(char32_t rune, Fits fits) {
    while (at_ < text_.size()) {
      rune = peek(rune);
      if (!fits(rune)) {
        break;
      }
      before_last_ = at_;
      at_ = end_;
    }
    return rune;
  }

  WordKind next() {
    const char32_t first = peek(kReplacementRune);
    at_ = end_;
    const auto small = [](char32_t rune) { return is_alphabet(rune) && !is_upper(rune); };
    if (first == kReplacementRune) {
      return WordKind::none;
    }
    if (is_connector(first)) {
      take_while(first, is_connector);
      return WordKind::connector;
    }
    if (is_punctuation(first)) {
      take_while(first, is_punctuation);
      return WordKind::punctuation;
    }
    if (is_upper(first)) {
      take_capitalized(first);
      return WordKind::upper;
    }
    if (is_alphabet(first)) {
      take_while(first, small);
      return WordKind::alphabet;
    }
    if (is_number(first)) {
      take_while(first, is_number);
      return WordKind::number;
    }
    take_while(first, [](char32_t rune) {
      return !is_connector(rune) && !is_alphabet(rune) && !is_number(rune) && !is_punctuation(rune);
    });
    return WordKind::other;
  }

  /// "HTTP", "Status"; of "HTTPStatus" the first.
  void take_capitalized(char32_t first) {
    const std::size_t second = at_;
    const char32_t stop = take_while(first, is_upper);
    const bool more = at_ < text_.size();
    if (at_ > second) {
      at_ = more && is_alphabet(stop) ? before_last_ : at_;
    } else if (more) {
      take_while(first, [](char32_t rune) { return is_alphabet(rune) && !is_upper(rune); });
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::size_t before_last_ = 0;
};

/// Writes words with connectors between them. A number goes with the word before it, unless small
/// letters follow: "Bld4Floor" is bld4_floor, "HTTP20xOK" is http_20x_ok.
class WordJoiner {
 public:
  WordJoiner(std::vector<Word> words, char connector)
      : words_(std::move(words)), connector_(connector) {}

  std::string join() {
    while (at_ + 1 < words_.size()) {
      const Word word = words_[at_++];
      if (word.kind != WordKind::connector) {
        write(word);
      }
      join_behind(word);
    }
    write(current());
    return std::move(out_);
  }

 private:
  Word current() const { return at_ < words_.size() ? words_[at_] : Word(); }

  bool binds_itself() const {
    const WordKind kind = current().kind;
    return kind == WordKind::connector || kind == WordKind::punctuation;
  }

  void connect() { out_.push_back(connector_); }

  void join_behind(const Word& word) {
    switch (word.kind) {
      case WordKind::number:
        write_rest_of_number();
        break;
      case WordKind::connector:
        write(word);
        break;
      case WordKind::punctuation:
        break;
      default:
        if (current().kind == WordKind::number) {
          join_number();
        } else if (!binds_itself()) {
          connect();
        }
    }
  }

  /// The current word is a number behind a word.
  void join_number() {
    if (at_ + 1 >= words_.size()) {
      return;
    }
    const Word number = words_[at_++];
    if (current().kind == WordKind::alphabet) {
      connect();
      write(number);
      write_rest_of_number();
      return;
    }
    write(number);
    if (!binds_itself()) {
      connect();
    }
  }

  void write_rest_of_number() {
    while (current().kind == WordKind::alphabet || current().kind == WordKind::number) {
      write(current());
      ++at_;
    }
    if (current().kind != WordKind::none && !binds_itself()) {
      connect();
    }
  }

  void write(const Word& word) {
    if (word.kind != WordKind::upper && word.kind != WordKind::connector) {
      out_ += word.text;
      return;
    }
    for (std::string_view text = word.text; !text.empty();) {
      const auto [rune, size] = first_rune(text);
      if (is_connector(rune)) {
        connect();
      } else {
        append_rune(out_, is_upper(rune) ? lower_rune(rune) : rune);
      }
      text.remove_prefix(size);
    }
  }

  std::vector<Word> words_;
  char connector_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

bool is_upper(char32_t rune) {
  static const RE2 pattern("\\p{Lu}");
  return rune < 0x80 ? rune >= U'A' && rune <= U'Z' : in_class(pattern, rune);
}

bool is_lower(char32_t rune) {
  static const RE2 pattern("\\p{Ll}");
  return rune < 0x80 ? rune >= U'a' && rune <= U'z' : in_class(pattern, rune);
}

bool is_title(char32_t rune) {
  static const RE2 pattern("\\p{Lt}");
  return rune >= 0x80 && in_class(pattern, rune);
}

bool is_number(char32_t rune) {
  static const RE2 pattern("\\p{N}");
  return rune < 0x80 ? rune >= U'0' && rune <= U'9' : in_class(pattern, rune);
}

bool is_punctuation(char32_t rune) {
  static const RE2 pattern("\\p{P}");
  return in_class(pattern, rune);
}

char32_t title_rune(char32_t rune) {
  // Four digraphs have a form of their own, and Georgian titles are written small.
  for (const char32_t digraph : {0x1C4, 0x1C7, 0x1CA, 0x1F1}) {
    if (rune >= digraph && rune <= digraph + 2) {
      return digraph + 1;
    }
  }
  const bool georgian = rune >= 0x10D0 && rune <= 0x10FF;
  return georgian ? rune : upper_rune(rune);
}

std::string joined_words(std::string_view text, char connector) {
  return WordJoiner(WordReader(text).read(), connector).join();
}

std::string pascal_case(std::string_view text) {
  std::string out;
  char32_t held = 0;
  bool lowering = false;
  bool started = false;
  while (!text.empty()) {
    const auto [rune, size] = first_rune(text);
    text.remove_prefix(size);
    char32_t next = rune;
    if (!started) {
      // Upstream writes a lone connector at the end twice: once here and once below.
      if (is_connector(rune)) {
        append_rune(out, rune);
      } else {
        started = true;
        lowering = is_upper(rune);
        next = upper_rune(rune);
      }
    } else if (is_connector(held)) {
      if (is_connector(rune)) {
        append_rune(out, held);
      } else {
        lowering = is_upper(rune);
        next = upper_rune(rune);
      }
    } else {
      append_rune(out, held);
      lowering = lowering && is_upper(rune);
      next = lowering ? lower_rune(rune) : rune;
    }
    held = next;
  }
  if (held != 0) {
    append_rune(out, held);
  }
  return out;
}

}  // namespace tiphys::lang::sprig
