#include "lang/loops/format_int.h"

#include "lang/gotext/gotext.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tiphys::lang {
namespace {

/// The largest width or precision Go accepts, and the most text one format may make here.
constexpr std::int64_t kMaxNumber = 1'000'000;
constexpr std::size_t kMaxText = 16U << 20U;

struct Directive {
  bool minus = false;
  bool plus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> precision;
};

class Formatter {
 public:
  Formatter(std::string_view format, std::int64_t value) : format_(format), value_(value) {}

  Result<std::string> run() {
    while (at_ < format_.size()) {
      const std::size_t percent = std::min(format_.find('%', at_), format_.size());
      out_.append(format_, at_, percent - at_);
      at_ = percent;
      if (at_ == format_.size()) {
        break;
      }
      ++at_;
      directive();
      if (out_.size() > kMaxText) {
        return fail(ErrorCode::invalid, "the format makes too much text");
      }
    }
    if (!reordered_ && argument_ == 0) {
      out_ += fmt::format("%!(EXTRA int={})", value_);
    }
    return std::move(out_);
  }

 private:
  bool more() const { return at_ < format_.size(); }

  void flags(Directive& directive) {
    for (; more(); ++at_) {
      switch (format_[at_]) {
        case '#':
          directive.sharp = true;
          break;
        case '0':
          directive.zero = true;
          break;
        case '+':
          directive.plus = true;
          break;
        case '-':
          directive.minus = true;
          break;
        case ' ':
          directive.space = true;
          break;
        default:
          return;
      }
    }
  }

  /// Digits at the position; nothing when there are none or the number is too large.
  std::optional<std::int64_t> number() {
    if (!more() || format_[at_] < '0' || format_[at_] > '9') {
      return std::nullopt;
    }
    std::int64_t value = 0;
    for (; more() && format_[at_] >= '0' && format_[at_] <= '9'; ++at_) {
      // Go looks before it takes the next digit, so one digit too many passes; then it gives up on
      // the number and goes on at the end of the format.
      if (value > kMaxNumber) {
        at_ = format_.size();
        return std::nullopt;
      }
      value = value * 10 + (format_[at_] - '0');
    }
    return value;
  }

  /// "[n]" before a star or a verb selects an argument; there is only number 1.
  void argument_index() {
    if (!more() || format_[at_] != '[') {
      return;
    }
    reordered_ = true;
    indexed_ = true;
    const std::size_t close = format_.find(']', at_);
    if (close == std::string_view::npos) {
      good_index_ = false;
      ++at_;
      return;
    }
    const auto index = parse_integer(format_.substr(at_ + 1, close - at_ - 1), 10);
    const bool digits_only = format_[at_ + 1] >= '0' && format_[at_ + 1] <= '9';
    at_ = close + 1;
    if (!index || !digits_only || *index != 1) {
      good_index_ = false;
      return;
    }
    argument_ = 0;
  }

  /// A `*`: the value of the next argument, or nothing when it cannot be one.
  std::optional<std::int64_t> star() {
    ++at_;
    if (argument_ > 0) {
      return std::nullopt;
    }
    ++argument_;
    indexed_ = false;
    if (value_ > kMaxNumber || value_ < -kMaxNumber) {
      return std::nullopt;
    }
    return value_;
  }

  void width(Directive& directive) {
    argument_index();
    if (more() && format_[at_] == '*') {
      directive.width = star();
      if (!directive.width) {
        out_ += "%!(BADWIDTH)";
      } else if (*directive.width < 0) {
        directive.width = -*directive.width;
        directive.minus = true;
      }
      return;
    }
    directive.width = number();
    if (indexed_ && directive.width) {
      good_index_ = false;
    }
  }

  void precision(Directive& directive) {
    if (!more() || format_[at_] != '.') {
      return;
    }
    ++at_;
    if (indexed_) {
      good_index_ = false;
    }
    argument_index();
    if (more() && format_[at_] == '*') {
      directive.precision = star();
      if (!directive.precision || *directive.precision < 0) {
        directive.precision.reset();
        out_ += "%!(BADPREC)";
      }
      return;
    }
    directive.precision = number().value_or(0);
  }

  void directive() {
    Directive directive;
    good_index_ = true;
    indexed_ = false;
    flags(directive);
    width(directive);
    precision(directive);
    if (!indexed_) {
      argument_index();
    }
    if (!more()) {
      out_ += "%!(NOVERB)";
      return;
    }
    const DecodedRune verb = first_rune(format_.substr(at_));
    const std::string_view spelling = format_.substr(at_, verb.size);
    at_ += verb.size;
    if (verb.rune == '%') {
      out_ += '%';
    } else if (!good_index_) {
      out_ += fmt::format("%!{}(BADINDEX)", spelling);
    } else if (argument_ > 0) {
      out_ += fmt::format("%!{}(MISSING)", spelling);
    } else {
      ++argument_;
      print(directive, verb.rune, spelling);
    }
  }

  void print(const Directive& directive, char32_t verb, std::string_view spelling) {
    switch (verb) {
      case 'v': {
        Directive plain = directive;
        plain.plus = false;
        return integer(plain, 10, "", false);
      }
      case 'd':
        return integer(directive, 10, "", false);
      case 'b':
        return integer(directive, 2, directive.sharp ? "0b" : "", false);
      case 'o':
        return integer(directive, 8, "", false);
      case 'O':
        return integer(directive, 8, "0o", false);
      case 'x':
        return integer(directive, 16, directive.sharp ? "0x" : "", false);
      case 'X':
        return integer(directive, 16, directive.sharp ? "0X" : "", true);
      case 'c':
        return pad(directive, rune_text());
      case 'q':
        return pad(directive, quoted_rune(directive));
      case 'U':
        return pad(directive, unicode(directive));
      case 'T':
        return pad(directive, "int");
      default:
        out_ += fmt::format("%!{}(int=", spelling);
        integer(directive, 10, "", false);
        out_ += ')';
    }
  }

  std::string digits(unsigned base, bool upper) const {
    std::uint64_t rest =
        value_ < 0 ? 0 - static_cast<std::uint64_t>(value_) : static_cast<std::uint64_t>(value_);
    std::string text;
    do {
      text += (upper ? "0123456789ABCDEF" : "0123456789abcdef")[rest % base];
      rest /= base;
    } while (rest > 0);
    std::ranges::reverse(text);
    return text;
  }

  std::string_view sign(const Directive& directive) const {
    if (value_ < 0) {
      return "-";
    }
    if (directive.plus) {
      return "+";
    }
    return directive.space ? " " : "";
  }

  void integer(const Directive& directive, unsigned base, std::string_view prefix, bool upper) {
    if (directive.precision == 0 && value_ == 0) {
      Directive blank = directive;
      blank.zero = false;
      return pad(blank, "");
    }
    std::string text = digits(base, upper);
    const std::string_view mark = sign(directive);
    std::size_t places = 0;
    if (directive.precision) {
      places = static_cast<std::size_t>(*directive.precision);
    } else if (directive.zero && !directive.minus && directive.width) {
      places = static_cast<std::size_t>(*directive.width);
      places -= std::min(places, mark.size());
    }
    if (text.size() < places) {
      text.insert(0, places - text.size(), '0');
    }
    if (base == 8 && directive.sharp && text.front() != '0') {
      text.insert(0, 1, '0');
    }
    Directive blanks = directive;
    blanks.zero = false;
    pad(blanks, fmt::format("{}{}{}", mark, prefix, text));
  }

  std::string rune_text() const {
    std::string text;
    const bool in_range = value_ >= 0 && value_ <= 0x10FFFF;
    append_rune(text, in_range ? static_cast<char32_t>(value_) : 0xFFFD);
    return text;
  }

  std::string quoted_rune(const Directive& directive) const {
    const std::string rune = rune_text();
    if (rune == "'") {
      return R"('\'')";
    }
    if (rune == "\"") {
      return "'\"'";
    }
    std::string text = "'";
    if (directive.plus && static_cast<unsigned char>(rune[0]) >= 0x80) {
      const auto point = static_cast<std::uint32_t>(first_rune(rune).rune);
      text += point < 0x10000 ? fmt::format("\\u{:04x}", point) : fmt::format("\\U{:08x}", point);
    } else {
      const std::string quoted = quote(rune);
      text += std::string_view(quoted).substr(1, quoted.size() - 2);
    }
    return text + "'";
  }

  std::string unicode(const Directive& directive) const {
    const auto point = static_cast<std::uint64_t>(value_);
    const auto places =
        static_cast<int>(std::max<std::int64_t>(directive.precision.value_or(4), 4));
    std::string text = fmt::format("U+{:0{}X}", point, places);
    if (directive.sharp && point <= 0x10FFFF && is_print(static_cast<char32_t>(point))) {
      text += fmt::format(" '{}'", rune_text());
    }
    return text;
  }

  void pad(const Directive& directive, std::string_view text) {
    const std::size_t length = rune_count(text);
    const auto wanted = static_cast<std::size_t>(directive.width.value_or(0));
    const std::size_t missing = wanted > length ? wanted - length : 0;
    if (directive.minus) {
      out_ += text;
      out_.append(missing, ' ');
    } else {
      out_.append(missing, directive.zero ? '0' : ' ');
      out_ += text;
    }
  }

  std::string_view format_;
  std::int64_t value_;
  std::size_t at_ = 0;
  /// How many arguments have been used.
  int argument_ = 0;
  bool reordered_ = false;
  bool indexed_ = false;
  bool good_index_ = true;
  std::string out_;
};

}  // namespace

Result<std::string> go_format_int(std::string_view format, std::int64_t value) {
  return Formatter(format, value).run();
}

}  // namespace tiphys::lang
