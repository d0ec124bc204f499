#include "output/text_table.h"

#include <algorithm>
#include <utility>

#include "crv/core/shown.h"

namespace crv::cli {
namespace {

constexpr std::string_view kGap = "  ";

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

}  // namespace

std::size_t width_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), starts_character));
}

std::string cell_text(std::string_view given, std::size_t max_width) {
  std::string text = printable(given);
  if (width_of(text) <= max_width) return text;
  std::size_t width = 0;
  std::size_t end = 0;
  while (end < text.size() && !(starts_character(text[end]) && ++width == max_width)) ++end;
  return text.substr(0, end) + "…";
}

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (const auto& column : columns_) widths_.push_back(width_of(column.title));
}

void TextTable::add(std::vector<std::string> cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], width_of(cells[i]));
  rows_.push_back(std::move(cells));
}

void TextTable::append_line(const std::vector<std::string>& cells, std::string& out) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string pad(widths_[i] - width_of(cells[i]), ' ');
    line += (i == 0 ? "" : kGap);
    line += columns_[i].right ? pad + cells[i] : cells[i] + pad;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

std::string TextTable::take() {
  std::string out;
  if (!std::exchange(header_done_, true)) {
    std::vector<std::string> titles, rules;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      titles.push_back(columns_[i].title);
      rules.emplace_back(widths_[i], '-');
    }
    append_line(titles, out);
    append_line(rules, out);
  }
  for (const auto& row : rows_) append_line(row, out);
  rows_.clear();
  return out;
}

}  // namespace crv::cli
