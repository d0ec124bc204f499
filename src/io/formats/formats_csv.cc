// CSV, in. Arrow's parser finds rows and cells; what it is given, block by block, is our matter, since
// Arrow's own reader drops bytes where a block ends between CR and LF, and ends the last cell where the file
// does.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/csv/options.h>
#include <arrow/csv/parser.h>

#include "core/text.h"
#include "core/utf8.h"
#include "crv/core/shown.h"
#include "io/arrow/json_column.h"
#include "io/arrow/place.h"
#include "io/formats/csv_cells.h"
#include "io/formats/file_formats.h"
#include "io/schema/declared.h"

namespace crv::io {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kLongestRow = std::size_t{1} << 30;
constexpr std::size_t kLongestHeader = std::size_t{1} << 26;
constexpr std::int32_t kRowsAtOnce = 65536;
constexpr std::array kDelimiters{',', ';', '\t'};

// The rows of an input as a parser finds them, a block at a time.
class CsvRows {
 public:
  explicit CsvRows(FdInput& input) : input_(input) {
    fill(kBlockBytes);
    if (text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3);
  }

  // The next rows, at least one and up to `max_rows`, each of `columns` cells (-1: as many as the first has).
  // nullptr at the end.
  std::unique_ptr<arrow::csv::BlockParser> next(char delimiter, std::int32_t columns, std::int32_t max_rows) {
    auto parser = parse(delimiter, columns, max_rows);
    if (parser) {
      lines_ += lines_in(std::string_view(text_).substr(begin_, used_));
      rows_ += parser->num_rows();
      begin_ += used_;
    }
    return parser;
  }

  // The first row as this delimiter cuts it; nothing where the input has none.
  std::vector<std::string> first(char delimiter) {
    const auto parser = parse(delimiter, -1, 1);
    std::vector<std::string> cells;
    if (parser) {
      const auto add = [&](const std::uint8_t* data, std::uint32_t size, auto...) {  // later Arrows tell more
        cells.emplace_back(reinterpret_cast<const char*>(data), size);
        return arrow::Status::OK();
      };
      check_read(parser->VisitLastRow(add), input_.name());
    }
    return cells;
  }

  std::string_view first_line() const {
    const auto text = std::string_view(text_).substr(begin_);
    return text.substr(0, text.find_first_of("\r\n"));
  }
  std::int64_t rows() const { return rows_; }

  [[noreturn]] void fail(ErrorCode code, std::int64_t line, const std::string& what) const {
    ErrorFacts facts;
    facts.path = input_.name();
    facts.line = line;
    raise(code, input_.name() + ", line " + std::to_string(line) + ": " + what, facts);
  }

 private:
  static std::int64_t lines_in(std::string_view text) {
    std::int64_t lines = std::count(text.begin(), text.end(), '\n');
    for (auto at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1))
      lines += at + 1 == text.size() || text[at + 1] != '\n' ? 1 : 0;
    return lines;
  }

  static std::uint32_t empty_lines(std::string_view text) {
    return static_cast<std::uint32_t>(std::min(text.find_first_not_of("\r\n"), text.size()));
  }

  // Reads on until `size` bytes are at hand, or the end is.
  void fill(std::size_t size) {
    text_.erase(0, std::exchange(begin_, 0));
    while (!at_end_ && text_.size() < size) {
      const std::size_t held = text_.size();
      text_.resize(size);
      const auto got = input_.read_some(text_.data() + held, static_cast<std::int64_t>(size - held));
      text_.resize(held + static_cast<std::size_t>(got));
      at_end_ = got == 0;
    }
    if (at_end_ && !ended_) {
      text_ += '\n';  // of the last line, if it has none
      ended_ = true;
    }
  }

  // Of a block that may go on with LF the CR at its end is left for the next one.
  std::string_view whole_part() const {
    auto text = std::string_view(text_).substr(begin_);
    if (!at_end_ && text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

  std::unique_ptr<arrow::csv::BlockParser> parse(char delimiter, std::int32_t columns,
                                                 std::int32_t max_rows) {
    if (text_.size() - begin_ < kBlockBytes / 2) fill(kBlockBytes);
    while (true) {
      const auto text = whole_part();
      std::string wrong_width;
      auto parser = std::make_unique<arrow::csv::BlockParser>(options(delimiter, columns, text, wrong_width),
                                                              columns, rows_ + 1, max_rows);
      used_ = 0;
      const auto status = parser->Parse(text, &used_);
      if (!wrong_width.empty()) fail(ErrorCode::read_failed, wrong_line_, wrong_width);
      if (columns < 0 && status.IsInvalid() && parser->num_rows() == 0)  // no whole row to count the cells of
        used_ = empty_lines(text);
      else
        check_read(status, input_.name());
      if (parser->num_rows() > 0) return parser;
      begin_ += used_;  // of empty lines
      lines_ += lines_in(text.substr(0, used_));
      const std::size_t held = text_.size() - begin_;
      if (at_end_ && held == 0) return nullptr;
      if (at_end_) {
        fail(ErrorCode::read_failed, lines_,
             "a quote that opens in the row that begins here is never closed");
      }
      const auto longest = columns < 0 ? kLongestHeader : kLongestRow;
      if (held >= longest) {
        fail(ErrorCode::read_failed, lines_,
             std::string("the row that begins here is longer than ") +
                 (columns < 0 ? "64 MiB, which the names of the columns" : "1 GiB, which a row") +
                 " may take; is a quote in it never closed?");
      }
      fill(std::min(std::max(kBlockBytes, 2 * held), longest));
    }
  }

  arrow::csv::ParseOptions options(char delimiter, std::int32_t columns, std::string_view text,
                                   std::string& wrong_width) {
    auto options = arrow::csv::ParseOptions::Defaults();
    options.delimiter = delimiter;
    options.newlines_in_values = true;
    if (columns >= 0) {
      options.invalid_row_handler = [this, text, &wrong_width](const arrow::csv::InvalidRow& row) {
        const auto before = static_cast<std::size_t>(row.text.data() - text.data());
        wrong_line_ = lines_ + lines_in(text.substr(0, std::min(before, text.size())));
        wrong_width = "row #" + std::to_string(row.number) + " has " + std::to_string(row.actual_columns) +
                      " cells where the header has " + std::to_string(row.expected_columns) + ": " +
                      shortened(row.text);
        return arrow::csv::InvalidRowResult::Error;
      };
    }
    return options;
  }

  FdInput& input_;
  std::string text_;  // read, from begin_ on not yet taken
  std::size_t begin_ = 0;
  bool at_end_ = false, ended_ = false;
  std::uint32_t used_ = 0;  // bytes of what parse() has parsed last
  std::int64_t rows_ = 0;   // taken, the header included
  std::int64_t lines_ = 1;  // the line that begins at begin_
  std::int64_t wrong_line_ = 0;
};

class CsvFrames : public FrameReader {
 public:
  CsvFrames(std::shared_ptr<FdInput> input, const core::TableDescriptor* table, const std::string& taken_for)
      : input_(std::move(input)),
        table_(table),
        declared_(table == nullptr ? Type() : declared_types(*table)),
        rows_(*input_) {
    read_header(taken_for);
  }

  std::vector<Frame> next(std::int64_t max_rows) override {
    std::vector<arrow::ArrayVector> cells(names_.size());
    std::int64_t rows = 0;
    while (rows < max_rows) {
      const auto wanted = std::min<std::int64_t>(max_rows - rows, kRowsAtOnce);
      const auto parsed =
          rows_.next(delimiter_, static_cast<std::int32_t>(names_.size()), static_cast<std::int32_t>(wanted));
      if (!parsed) break;
      for (std::size_t i = 0; i < cells.size(); ++i) cells[i].push_back(column_of(*parsed, i));
      rows += parsed->num_rows();
    }
    return rows == 0 ? std::vector<Frame>() : std::vector{Frame(typed(cells, rows))};
  }
  std::int64_t position() const override { return input_->position(); }
  std::int64_t size() const override { return input_->size(); }

 private:
  bool has_tick(const std::vector<std::string>& names) const {
    return std::find(names.begin(), names.end(), "tick") != names.end();
  }
  bool is_column(const std::string& name) const { return table_->find(name) != nullptr; }
  // Of an inferred column the cells tell the type.
  const core::ColumnDescriptor* declared_column(const std::string& name) const {
    const core::ColumnDescriptor* column = table_ == nullptr ? nullptr : table_->find(name);
    return column && column->inferred ? nullptr : column;
  }

  // The delimiter is the one that gives a column `tick`, which every table has; else the one that cuts at
  // all.
  void read_header(const std::string& taken_for) {
    for (const char delimiter : kDelimiters) {
      auto names = rows_.first(delimiter);
      const bool better = names_.empty() || (!has_tick(names_) && names_.size() == 1 && names.size() > 1) ||
                          (!has_tick(names_) && has_tick(names));
      if (better) {
        names_ = std::move(names);
        delimiter_ = delimiter;
      }
    }
    if (names_.empty())
      rows_.fail(ErrorCode::read_failed, 1, "there is no header line with the names of the columns");
    if (table_ && std::none_of(names_.begin(), names_.end(),
                               [&](const std::string& name) { return is_column(name); })) {
      tell_no_table(taken_for);
    }
    rows_.next(delimiter_, -1, 1);
  }

  [[noreturn]] void tell_no_table(const std::string& taken_for) const {
    std::vector<std::string> columns;
    for (const auto& column : table_->columns)
      if (column.name != "bucket") columns.push_back(column.name);
    rows_.fail(ErrorCode::read_failed, 1,
               "this is no header line with columns of the table " + table_->name + " (" +
                   core::join(columns) +
                   ", cut by comma, semicolon or tab): " + shortened(rows_.first_line()) + taken_for);
  }

  std::shared_ptr<arrow::Array> column_of(const arrow::csv::BlockParser& parsed, std::size_t column) const {
    arrow::StringBuilder cells;
    check_read(cells.Reserve(parsed.num_rows()), input_->name());
    std::int64_t row = rows_.rows() - 1 - parsed.num_rows();  // of the file's data, from 0
    const auto add = [&](const std::uint8_t* data, std::uint32_t size, bool quoted, auto...) {
      const std::string_view text(reinterpret_cast<const char*>(data), size);
      if (!is_utf8(text)) tell_no_utf8(column, row, text);
      ++row;
      return size == 0 && !quoted ? cells.AppendNull() : cells.Append(text);
    };
    check_read(parsed.VisitColumn(static_cast<std::int32_t>(column), add), input_->name());
    return check_read(cells.Finish(), input_->name());
  }

  [[noreturn]] void tell_no_utf8(std::size_t column, std::int64_t row, std::string_view text) const {
    ErrorFacts facts;
    facts.path = input_->name();
    facts.column = as_utf8(names_[column]);
    facts.row = row;
    facts.value = shortened(text);
    raise(ErrorCode::wrong_type,
          input_->name() + ", row " + std::to_string(row) + ", column \"" + facts.column +
              "\": this text is not UTF-8: " + facts.value,
          facts);
  }

  std::shared_ptr<arrow::Table> typed(const std::vector<arrow::ArrayVector>& cells, std::int64_t rows) const {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string& name = names_[i];
      columns.push_back(cells_to_column(std::make_shared<arrow::ChunkedArray>(cells[i]),
                                        declared_column(name), name, field_of(&declared_, name)));
      fields.push_back(arrow::field(name, columns.back()->type()));
    }
    return arrow::Table::Make(arrow::schema(fields), columns, rows);
  }

  std::shared_ptr<FdInput> input_;
  const core::TableDescriptor* table_;
  const Type declared_;
  CsvRows rows_;
  char delimiter_ = ',';
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<FrameReader> read_csv(std::shared_ptr<FdInput> input, const core::TableDescriptor* table,
                                      const std::string& taken_for) {
  return std::make_unique<CsvFrames>(std::move(input), table, taken_for);
}

}  // namespace crv::io
