#include "cli/text/aligned_table.h"

#include <algorithm>
#include <utility>

namespace tiphys::cli {

std::size_t character_count(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void AlignedTable::add(std::vector<std::string> cells) {
  std::vector<std::string> line;
  for (std::string& cell : cells) {
    std::string_view rest = cell;
    for (std::size_t at = rest.find_first_of("\t\n"); at != std::string_view::npos;
         at = rest.find_first_of("\t\n")) {
      line.emplace_back(rest.substr(0, at));
      if (rest[at] == '\n') {
        lines_.push_back(std::exchange(line, {}));
      }
      rest.remove_prefix(at + 1);
    }
    line.emplace_back(rest);
  }
  lines_.push_back(std::move(line));
}

std::string AlignedTable::render() const {
  // Widths of the aligned cells: all but the last of a line. A column is broken by a line that does
  // not reach it.
  std::vector<std::vector<std::size_t>> widths(lines_.size());
  std::size_t most = 0;
  for (std::size_t line = 0; line < lines_.size(); ++line) {
    widths[line].resize(lines_[line].empty() ? 0 : lines_[line].size() - 1);
    most = std::max(most, widths[line].size());
  }
  for (std::size_t column = 0; column < most; ++column) {
    std::size_t line = 0;
    while (line < lines_.size()) {
      std::size_t end = line;
      std::size_t width = 0;
      for (; end < lines_.size() && widths[end].size() > column; ++end) {
        width = std::max(width, character_count(lines_[end][column]) + padding_);
      }
      for (std::size_t member = line; member < end; ++member) {
        widths[member][column] = width;
      }
      line = std::max(end, line + 1);
    }
  }
  std::string out;
  for (std::size_t line = 0; line < lines_.size(); ++line) {
    for (std::size_t column = 0; column < lines_[line].size(); ++column) {
      const std::string& cell = lines_[line][column];
      out += cell;
      if (column < widths[line].size()) {
        out.append(widths[line][column] - character_count(cell), ' ');
      }
    }
    out += '\n';
  }
  return out;
}

}  // namespace tiphys::cli
