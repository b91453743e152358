#include "cli/screen.h"

#include "cli/text/terminal_text.h"

#include <algorithm>

namespace tiphys::cli {

/// Rows that the block takes now: lines that no longer fit have been wrapped by the terminal.
std::size_t Screen::rows_drawn(ScreenSize size) const {
  const auto width = static_cast<std::size_t>(std::max(size.width, 1));
  std::size_t rows = 0;
  for (const std::string& line : drawn_) {
    rows += std::max<std::size_t>((column_count(line) + width - 1) / width, 1);
  }
  return std::min(rows, static_cast<std::size_t>(std::max(size.height - 1, 0)));
}

void Screen::draw(const std::vector<std::string>& lines, std::string_view above, ScreenSize size) {
  const bool resized = size != size_;
  if (above.empty() && !resized && lines == drawn_) {
    return;
  }
  // Terminals that know the first and last sequence show nothing in between; others ignore them.
  std::string text = "\x1b[?2026h";
  if (const std::size_t rows = resized ? rows_drawn(size) : drawn_.size(); rows > 0) {
    text += "\r\x1b[" + std::to_string(rows) + "A";
  }
  if (resized || !above.empty()) {
    text += "\x1b[J";
    text += above;
    drawn_.clear();
  }
  for (std::size_t line = 0; line < lines.size(); ++line) {
    const bool same = line < drawn_.size() && drawn_[line] == lines[line];
    text += same ? "\n" : lines[line] + "\x1b[K\n";
  }
  if (drawn_.size() > lines.size()) {
    text += "\x1b[J";
  }
  out_ << text << "\x1b[?2026l" << std::flush;
  drawn_ = lines;
  size_ = size;
}

}  // namespace tiphys::cli
