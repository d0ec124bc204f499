#include "crv/io/files.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <arrow/api.h>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/base/sums.h"
#include "io/formats/file_formats.h"

namespace crv::io {
namespace {

std::string shown_name(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

// Rows of one file that go into one commit.
struct Batch {
  std::string path;
  LineMap lines;
  std::vector<Frame> frames;
  std::int64_t rows = 0;
};

// Reads the files one after the other.
class Files {
 public:
  // `descriptor`: nullptr for a table that the first append is to define.
  Files(std::string table, std::shared_ptr<const core::TableDescriptor> descriptor,
        std::span<const std::string> paths, const AppendFilesOptions& options)
      : table_(std::move(table)), descriptor_(std::move(descriptor)), paths_(paths), options_(options) {}

  // The next rows of the current file, then of those after it; false after the last.
  bool next(std::int64_t max_rows, Batch& batch) {
    while (at_ < paths_.size()) {
      auto frames = read(max_rows);
      tell_progress();
      if (!frames.empty()) {
        batch = make_batch(std::move(frames));
        return true;
      }
      bytes_before_ += reader_->position();
      reader_ = nullptr;
      ++at_;
    }
    return false;
  }

 private:
  std::vector<Frame> read(std::int64_t max_rows) {
    try {
      if (!reader_) reader_ = open_frames(paths_[at_], {options_.format, descriptor_.get(), options_.stop});
      return reader_->next(max_rows);
    } catch (const SchemaError& error) {
      raise_of_file(error);
    } catch (const IoSchemaError& error) {
      raise_of_file(error);
    }
  }

  // A reader knows the line or the row, not always the file and the table.
  [[noreturn]] void raise_of_file(const Error& error) const {
    ErrorFacts facts = error.facts();
    if (facts.table.empty()) facts.table = table_;
    std::string message = error.what();
    if (facts.path.empty()) {
      facts.path = paths_[at_];
      message = shown_name(facts.path) + (message.starts_with("line ") ? ", " : ": ") + message;
    }
    raise(error.code(), message, facts);
  }

  Batch make_batch(std::vector<Frame> frames) const {
    Batch batch{paths_[at_], reader_->lines(), std::move(frames), 0};
    for (const auto& frame : batch.frames) batch.rows += frame.table()->num_rows();
    return batch;
  }

  void tell_progress() const {
    if (options_.stop && options_.stop())
      raise(ErrorCode::interrupted, "stopped before the rows of " + paths_[at_] + " were appended");
    if (options_.progress) {
      const auto size = paths_.size() == 1 ? reader_->size() : -1;
      options_.progress(bytes_before_ + reader_->position(), std::max<std::int64_t>(size, 0));
    }
  }

  const std::string table_;
  const std::shared_ptr<const core::TableDescriptor> descriptor_;
  std::span<const std::string> paths_;
  const AppendFilesOptions& options_;
  std::size_t at_ = 0;
  std::unique_ptr<FrameReader> reader_;
  std::int64_t bytes_before_ = 0;
};

// Says where the row of an error came from, where that is certain: an append of several frames does not tell
// in which of them the row is.
[[noreturn]] void raise_about(const Error& error, const std::vector<Batch>& batches, bool one_frame) {
  ErrorFacts facts = error.facts();
  auto row = facts.row.value_or(-1);
  auto batch = batches.begin();
  while (batch != batches.end() && row >= batch->rows) {
    row -= batch->rows;
    ++batch;
  }
  if (!one_frame || row < 0 || batch == batches.end() || !facts.path.empty())
    raise(error.code(), error.what(), facts);
  facts.path = batch->path;
  facts.row = row;
  facts.line = batch->lines.line_of(row);
  raise(error.code(),
        shown_name(batch->path) + ", " +
            (facts.line ? "line " + std::to_string(*facts.line) : "its row " + std::to_string(row)) + ": " +
            error.what(),
        facts);
}

void add(AppendSummary& all, const AppendSummary& one) {
  all.rows += one.rows;
  all.defined.insert(all.defined.end(), one.defined.begin(), one.defined.end());
  if (one.quarantined) all.quarantined = all.quarantined.value_or(0) + *one.quarantined;
  all.parts.insert(all.parts.end(), one.parts.begin(), one.parts.end());
  std::set<std::int64_t> buckets(all.buckets.begin(), all.buckets.end());
  buckets.insert(one.buckets.begin(), one.buckets.end());
  all.buckets.assign(buckets.begin(), buckets.end());
}

// Of the n-th commit, from 1 on.
AppendOptions options_of(const AppendFilesOptions& all, std::int64_t n) {
  AppendOptions options = all.append;
  if (options.token && all.rows_per_commit > 0) {
    options.token = step_of(*options.token, n);
    options.repeats_steps = true;
  }
  return options;
}

AppendSummary commit(Dataset& dataset, const std::string& table, const std::vector<Batch>& batches,
                     const AppendFilesOptions& options, std::int64_t n) {
  std::vector<std::shared_ptr<arrow::Table>> tables;
  for (const auto& batch : batches)
    for (const auto& frame : batch.frames) add_rows(tables, frame.table());
  std::vector<TableFrame> frames;
  frames.reserve(tables.size());
  for (auto& rows : tables) frames.push_back({table, Frame(std::move(rows))});
  AppendSummary together;
  together.table = table;
  together.run_id = dataset.run_id();
  try {
    for (const auto& summary : dataset.append(frames, options_of(options, n))) {
      add(together, summary);
      together.repeated = together.repeated || summary.repeated;
    }
  } catch (const Error& error) {
    raise_about(error, batches, frames.size() == 1);
  }
  if (options.on_commit) options.on_commit(together);
  return together;
}

}  // namespace

Json to_json(const AppendFilesSummary& summary) {
  Json json = to_json(summary.appended);
  (*json.get_if<JsonObject>())["commits"] = summary.commits;
  if (summary.repeated) (*json.get_if<JsonObject>())["repeated"] = *summary.repeated;
  return json;
}

AppendFilesSummary append_files(Dataset& dataset, std::string_view table, std::span<const std::string> paths,
                                const AppendFilesOptions& options) {
  if (options.rows_per_commit < 0) raise(ErrorCode::bad_argument, "rows per commit must not be negative");
  const std::string name(table);
  auto descriptor = options.append.create ? dataset.find_table(name) : nullptr;
  if (!descriptor && !options.append.create) descriptor = dataset.require_table(name);
  AppendFilesSummary summary;
  summary.appended.table = name;
  summary.appended.run_id = dataset.run_id();
  const bool at_once = options.rows_per_commit == 0;
  const auto max_rows = at_once ? std::numeric_limits<std::int64_t>::max() : options.rows_per_commit;
  Files files(name, std::move(descriptor), paths, options);
  std::vector<Batch> held;
  if (options.append.token) {
    check_token(*options_of(options, 1).token);
    summary.repeated = 0;
  }
  const auto flush = [&] {
    const auto done = commit(dataset, name, std::exchange(held, {}), options, summary.commits + 1);
    add(summary.appended, done);
    ++summary.commits;
    if (done.repeated) ++*summary.repeated;
  };
  Batch batch;
  while (files.next(max_rows, batch)) {
    held.push_back(std::move(batch));
    if (!at_once) flush();
  }
  if (!held.empty()) flush();
  return summary;
}

core::TableDescriptor table_like(std::string_view table, const std::string& path,
                                 std::optional<Format> format) {
  constexpr std::int64_t kLookAt = 65536;  // rows
  core::TableDescriptor like{.name = std::string(table), .columns = {}, .version = {}};
  for (const Frame& frame : open_frames(path, {format, nullptr, {}})->next(kLookAt))
    for (Field& field : from_arrow(*frame.table()->schema())) {
      if (like.find(field.name)) continue;
      const bool unknown = field.type.kind == Type::Kind::null;
      like.columns.push_back({.name = field.name, .type = std::move(field.type), .inferred = unknown});
    }
  return core::define_table(std::move(like));
}

std::int64_t write_scan(const Scan& scan, BatchWriter& writer, const Progress& progress) {
  std::int64_t total = 0;
  for (const auto& part : scan.plan()) total = capped_sum(total, part.kept ? part.part.rows : 0);
  const auto reader = scan.reader();
  std::int64_t rows = 0;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (const auto status = reader->ReadNext(&batch); !status.ok()) rethrow(status);
    if (!batch) break;
    rows += batch->num_rows();
    writer.write(batch);
    if (progress) progress(std::min(rows, total), total);
  }
  writer.finish();
  return rows;
}

}  // namespace crv::io
