#include "crv/io/formats.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <arrow/table.h>

#include "core/text.h"
#include "io/formats/file_formats.h"

namespace crv::io {
namespace {

constexpr std::array<std::pair<Format, std::string_view>, 4> kNames{{
    {Format::csv, "csv"},
    {Format::jsonl, "jsonl"},
    {Format::arrow, "arrow"},
    {Format::parquet, "parquet"},
}};

// Of compressed files, behind the extension of what was compressed.
constexpr std::array<std::string_view, 5> kPackedExtensions{".gz", ".zst", ".zstd", ".bz2", ".lz4"};

constexpr std::array<std::pair<std::string_view, Format>, 10> kExtensions{{
    {".parquet", Format::parquet},
    {".pq", Format::parquet},
    {".csv", Format::csv},
    {".jsonl", Format::jsonl},
    {".ndjson", Format::jsonl},
    {".json", Format::jsonl},
    {".arrow", Format::arrow},
    {".arrows", Format::arrow},
    {".feather", Format::arrow},
    {".ipc", Format::arrow},
}};

constexpr std::size_t kSniffed = 64;  // bytes
constexpr const char* kTakenForCsv =
    ". Neither its name nor its first bytes tell a format, so it was taken for CSV; name another with "
    "--format";

using namespace std::string_view_literals;

// First bytes of files that people take for tables, and of which crv reads nothing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kOtherKinds{{
    {"\xfd"
     "7zXZ"sv,
     "is compressed by xz; decompress it first"sv},
    {"7z\xbc\xaf\x27\x1c"sv, "is a 7z archive; unpack it first"sv},
    {"PK\x03\x04"sv, "is a zip archive or a spreadsheet; unpack it, or save it as CSV"sv},
    {"\xd0\xcf\x11\xe0"sv, "is a spreadsheet or document of an older office program; save it as CSV"sv},
    {"SQLite format 3"sv, "is an SQLite database; export the table first"sv},
    {"\x89HDF"sv, "is an HDF5 file; export the table first"sv},
    {"%PDF"sv, "is a PDF document"sv},
    {"\x7f"
     "ELF"sv,
     "is a program"sv},
}};

[[noreturn]] void refuse_kind(const FdInput& input, std::string_view kind) {
  ErrorFacts facts;
  facts.path = input.name();
  raise(ErrorCode::read_failed, input.name() + " " + std::string(kind), facts);
}

void refuse_other_kinds(FdInput& input) {
  const std::string_view head = input.peek(kSniffed);
  for (const auto& [first_bytes, kind] : kOtherKinds)
    if (head.starts_with(first_bytes)) refuse_kind(input, kind);
}

// Text of ASCII letters in units of 16 bits: every other byte is NUL.
bool looks_like_utf16(std::string_view head, std::size_t first_nul) {
  constexpr std::size_t kEnough = 8;
  head = head.substr(0, head.size() / 2 * 2);
  for (std::size_t i = 0; i < head.size(); ++i)
    if ((head[i] == '\0') != (i % 2 == first_nul)) return false;
  return head.size() >= kEnough;
}

// A format of text is read as UTF-8.
void require_utf8(FdInput& input) {
  const std::string_view head = input.peek(kSniffed);
  const auto refuse = [&](const std::string& encoding) {
    refuse_kind(input,
                "is " + encoding + " text; convert it to UTF-8 first: iconv -f " + encoding + " -t UTF-8");
  };
  if (head.starts_with("\xff\xfe\0\0"sv) || head.starts_with("\0\0\xfe\xff"sv)) refuse("UTF-32");
  if (head.starts_with("\xff\xfe"sv) || head.starts_with("\xfe\xff"sv)) refuse("UTF-16");
  if (looks_like_utf16(head, 1)) refuse("UTF-16LE");
  if (looks_like_utf16(head, 0)) refuse("UTF-16BE");
}

Format sniff(FdInput& input) {
  std::string_view head = input.peek(kSniffed);
  if (head.starts_with("PAR1")) return Format::parquet;
  if (head.starts_with("ARROW1") || head.starts_with("\xFF\xFF\xFF\xFF")) return Format::arrow;
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  const auto first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    ErrorFacts facts;
    facts.path = input.name();
    raise(ErrorCode::read_failed,
          input.name() + " is empty, so nothing tells its format: name it with --format", facts);
  }
  return head[first] == '{' || head[first] == '[' ? Format::jsonl : Format::csv;
}

}  // namespace

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(kNames.size());
    for (const auto& [format, name] : kNames) all.emplace_back(name);
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
    raise(ErrorCode::bad_argument, "format \"" + facts.value + "\" is none of " + core::join(format_names()),
          facts);
  }
  return entry->first;
}

std::optional<Format> format_of_path(std::string_view path) {
  std::string lower(path);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& packed : kPackedExtensions) {
    if (lower.ends_with(packed)) {
      lower.resize(lower.size() - packed.size());
      break;
    }
  }
  for (const auto& [extension, format] : kExtensions)
    if (lower.size() > extension.size() && lower.ends_with(extension)) return format;
  return std::nullopt;
}

void LineMap::add(std::int64_t line) {
  if (runs_.empty() || runs_.back().line + (rows_ - runs_.back().row) != line) runs_.push_back({rows_, line});
  ++rows_;
}

void LineMap::clear() {
  runs_.clear();
  rows_ = 0;
}

std::optional<std::int64_t> LineMap::line_of(std::int64_t row) const {
  if (row < 0 || row >= rows_) return std::nullopt;
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
  input->unpack();
  refuse_other_kinds(*input);
  std::optional<Format> format = options.format;
  if (!format) format = format_of_path(path);
  const Format found = format ? *format : sniff(*input);
  if (found == Format::csv || found == Format::jsonl) require_utf8(*input);
  switch (found) {
    case Format::csv:
      return read_csv(std::move(input), options.table, format ? "" : kTakenForCsv);
    case Format::jsonl:
      return read_jsonl(std::move(input), options.table);
    case Format::arrow:
      return read_arrow(input, path);
    case Format::parquet:
      break;
  }
  return read_parquet(input, path);
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
      break;
  }
  return write_parquet(std::move(output), schema);
}

namespace {

class TextOutput : public TextWriter {
 public:
  explicit TextOutput(std::shared_ptr<Output> output) : output_(std::move(output)) {}

  void write(std::string_view text) override {
    check_write(output_->Write(text.data(), static_cast<std::int64_t>(text.size())));
  }
  void finish() override { output_->finish(); }

 private:
  std::shared_ptr<Output> output_;
};

}  // namespace

std::unique_ptr<TextWriter> open_text(const std::string& path) {
  return std::make_unique<TextOutput>(open_output(path));
}

}  // namespace crv::io
