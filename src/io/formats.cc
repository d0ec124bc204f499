#include "crv/io/formats.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <arrow/table.h>

#include "io/file_formats.h"

namespace crv::io {
namespace {

constexpr std::array<std::pair<Format, std::string_view>, 5> kNames{{
    {Format::table, "table"},
    {Format::csv, "csv"},
    {Format::jsonl, "jsonl"},
    {Format::arrow, "arrow"},
    {Format::parquet, "parquet"},
}};

constexpr std::array<std::pair<std::string_view, Format>, 9> kExtensions{{
    {".parquet", Format::parquet},
    {".pq", Format::parquet},
    {".csv", Format::csv},
    {".jsonl", Format::jsonl},
    {".ndjson", Format::jsonl},
    {".arrow", Format::arrow},
    {".arrows", Format::arrow},
    {".feather", Format::arrow},
    {".ipc", Format::arrow},
}};

constexpr std::size_t kSniffed = 64;  // bytes
constexpr const char* kTakenForCsv =
    ". Neither its name nor its first bytes tell a format, so it was taken for CSV; name another with "
    "--format";

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

Format sniff(FdInput& input) {
  std::string_view head = input.peek(kSniffed);
  if (head.starts_with("PAR1")) {
    return Format::parquet;
  }
  if (head.starts_with("ARROW1") || head.starts_with("\xFF\xFF\xFF\xFF")) {
    return Format::arrow;
  }
  if (head.starts_with("\xEF\xBB\xBF")) {
    head.remove_prefix(3);
  }
  const auto first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    ErrorFacts facts;
    facts.path = input.name();
    raise(ErrorCode::read_failed,
          input.name() + " is empty, so nothing tells its format: name it with --format", facts);
  }
  return head[first] == '{' ? Format::jsonl : Format::csv;
}

}  // namespace

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(kNames.size());
    for (const auto& [format, name] : kNames) {
      all.emplace_back(name);
    }
    return all;
  }();
  return names;
}

std::string_view name_of(Format format) noexcept {
  const auto* entry =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& n) { return n.first == format; });
  return entry == kNames.end() ? std::string_view() : entry->second;
}

Format format_from_name(std::string_view name) {
  const auto* entry =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& n) { return n.second == name; });
  if (entry == kNames.end()) {
    ErrorFacts facts;
    facts.value = name;
    raise(ErrorCode::bad_argument, "format \"" + facts.value + "\" is none of " + joined(format_names()),
          facts);
  }
  return entry->first;
}

std::optional<Format> format_of_path(std::string_view path) {
  std::string lower(path);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [extension, format] : kExtensions) {
    if (lower.size() > extension.size() && lower.ends_with(extension)) {
      return format;
    }
  }
  return std::nullopt;
}

void LineMap::add(std::int64_t line) {
  if (runs_.empty() || runs_.back().line + (rows_ - runs_.back().row) != line) {
    runs_.push_back({rows_, line});
  }
  ++rows_;
}

void LineMap::clear() {
  runs_.clear();
  rows_ = 0;
}

std::optional<std::int64_t> LineMap::line_of(std::int64_t row) const {
  if (row < 0 || row >= rows_) {
    return std::nullopt;
  }
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), row,
                                      [](std::int64_t r, const Run& run) { return r < run.row; });
  const Run& run = *std::prev(after);
  return run.line + (row - run.row);
}

const LineMap& FrameReader::lines() const {
  static const LineMap none;
  return none;
}

void add_rows(std::vector<std::shared_ptr<arrow::Table>>& tables, std::shared_ptr<arrow::Table> rows) {
  if (!tables.empty()) {
    arrow::ConcatenateTablesOptions options;
    options.unify_schemas = true;
    auto together = arrow::ConcatenateTables({tables.back(), rows}, options);
    if (together.ok()) {
      tables.back() = together.MoveValueUnsafe();
      return;
    }
  }
  tables.push_back(std::move(rows));
}

std::unique_ptr<FrameReader> open_frames(const std::string& path, const InputOptions& options) {
  auto input = FdInput::open(path, options.stop);
  std::optional<Format> format = options.format;
  if (!format) {
    format = format_of_path(path);
  }
  switch (format ? *format : sniff(*input)) {
    case Format::csv:
      return read_csv(std::move(input), options.table, format ? "" : kTakenForCsv);
    case Format::jsonl:
      return read_jsonl(std::move(input), options.table);
    case Format::arrow:
      return read_arrow(input, path);
    case Format::parquet:
      return read_parquet(input, path);
    case Format::table:
      break;
  }
  raise(ErrorCode::bad_argument, "a table for people is written only: it cannot be read back");
}

std::unique_ptr<BatchWriter> open_batches(const std::string& path, Format format,
                                          const std::shared_ptr<arrow::Schema>& schema) {
  auto output = open_output(path);
  switch (format) {
    case Format::csv:
      return write_csv(std::move(output), schema);
    case Format::jsonl:
      return write_jsonl(std::move(output));
    case Format::arrow:
      return write_arrow(std::move(output), schema);
    case Format::parquet:
      return write_parquet(std::move(output), schema);
    case Format::table:
      break;
  }
  return write_text_table(std::move(output), schema);
}

}  // namespace crv::io
