#include "cli/screen.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tiphys::cli {
namespace {

constexpr ScreenSize kSize{20, 10};

std::string between_marks(const std::string& text) {
  const std::string begin = "\x1b[?2026h";
  const std::string end = "\x1b[?2026l";
  const std::size_t last = text.rfind(begin);
  return last == std::string::npos
             ? ""
             : text.substr(last + begin.size(), text.rfind(end) - last - begin.size());
}

TEST(Screen, writes_only_the_lines_that_changed) {
  std::ostringstream out;
  Screen screen(out);
  screen.draw({"a", "b", "c"}, "", kSize);
  screen.draw({"a", "B", "c"}, "", kSize);
  EXPECT_EQ(between_marks(out.str()), "\r\x1b[3A\nB\x1b[K\n\n");
}

TEST(Screen, writes_nothing_when_nothing_changed) {
  std::ostringstream out;
  Screen screen(out);
  screen.draw({"a"}, "", kSize);
  const std::string before = out.str();
  screen.draw({"a"}, "", kSize);
  EXPECT_EQ(out.str(), before);
}

TEST(Screen, a_shorter_block_leaves_nothing_below) {
  std::ostringstream out;
  Screen screen(out);
  screen.draw({"a", "b"}, "", kSize);
  screen.draw({"a"}, "", kSize);
  EXPECT_EQ(between_marks(out.str()), "\r\x1b[2A\n\x1b[J");
}

TEST(Screen, what_stands_above_is_written_once_before_the_block) {
  std::ostringstream out;
  Screen screen(out);
  screen.draw({"a"}, "", kSize);
  screen.draw({"a"}, "note\n", kSize);
  EXPECT_EQ(between_marks(out.str()), "\r\x1b[1A\x1b[Jnote\na\x1b[K\n");
}

TEST(Screen, a_narrower_terminal_has_wrapped_the_lines) {
  std::ostringstream out;
  Screen screen(out);
  screen.draw({"0123456789abcdef", "x"}, "", kSize);
  screen.draw({"01234567", "x"}, "", {8, 10});
  EXPECT_TRUE(between_marks(out.str()).starts_with("\r\x1b[3A\x1b[J")) << out.str();
}

}  // namespace
}  // namespace tiphys::cli
