#pragma once
/// Columns of text, aligned as the Go programs that our users know align theirs (text/tabwriter
/// with its defaults): a cell is as wide as the widest of the neighbouring lines that have it too,
/// the last cell of a line takes what it needs.

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::cli {

class AlignedTable {
 public:
  explicit AlignedTable(std::size_t padding) : padding_(padding) {}

  /// A line of cells. Escape sequences of terminals count as text, as they do in the programs we
  /// imitate, and so do tabs and newlines end cells and lines.
  void add(std::vector<std::string> cells);

  std::string render() const;

 private:
  std::size_t padding_;
  std::vector<std::vector<std::string>> lines_;
};

/// How many characters (code points) a text has.
std::size_t character_count(std::string_view utf8);

}  // namespace tiphys::cli
