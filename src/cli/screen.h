#pragma once
/// A block of lines at the end of a terminal's output that is replaced in place. What does not
/// change is not written again; each change is one write, so nothing flickers.

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::cli {

struct ScreenSize {
  int width = 80;
  int height = 24;
  bool operator==(const ScreenSize&) const = default;
};

class Screen final {
 public:
  explicit Screen(std::ostream& out) : out_(out) {}

  /// Replaces the block by `lines`, each of at most the screen's width. `above` (whole lines) is
  /// written before it and stays for good.
  void draw(const std::vector<std::string>& lines, std::string_view above, ScreenSize size);

  /// What is drawn stays; the next block begins below it.
  void keep() { drawn_.clear(); }

 private:
  std::size_t rows_drawn(ScreenSize size) const;

  std::ostream& out_;
  std::vector<std::string> drawn_;
  ScreenSize size_;
};

}  // namespace tiphys::cli
