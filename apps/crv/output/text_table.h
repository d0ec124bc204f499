// Aligned columns of text, for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace crv::cli {

// Columns on a terminal that text takes, one for each character. (East Asian and combining ones are not told
// apart.)
std::size_t width_of(std::string_view utf8);
// On one line, with escapes as crv::printable has them, cut to `max_width` with an ellipsis.
std::string cell_text(std::string_view given, std::size_t max_width);

class TextTable {
 public:
  struct Column {
    std::string title;
    bool right = false;  // numbers
  };
  explicit TextTable(std::vector<Column> columns);

  void add(std::vector<std::string> cells);
  // The header (once) and the rows added since the last call, each line ended. Widths only grow.
  std::string take();

 private:
  void append_line(const std::vector<std::string>& cells, std::string& out) const;

  std::vector<Column> columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
  bool header_done_ = false;
};

}  // namespace crv::cli
