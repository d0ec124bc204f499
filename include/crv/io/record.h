// The way in for every language: one JSON object a line with its `table` and `tick`, committed as ticks
// complete.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crv/core/error.h"
#include "crv/core/json.h"
#include "crv/io/dataset.h"
#include "crv/io/formats.h"

namespace crv::io {

// What was committed so far.
struct RecordSummary {
  std::int64_t ticks = 0, rows = 0, commits = 0;
  std::optional<std::int64_t> first_tick, last_tick;
  std::map<std::string, std::int64_t> rows_by_table;
  // Ticks of these that an earlier recording of the same token had committed; only with a token.
  std::optional<std::int64_t> repeated;
  // Rows that went into the table `quarantine` and count nowhere else; only with OnInvalid::quarantine.
  std::optional<std::int64_t> quarantined;
};
Json to_json(const RecordSummary& summary);

struct RecordOptions {
  // Its token names the recording as a whole: the commit of each tick has the token step_of(token, tick). So
  // a recording that broke off can be begun again, from its start or any tick: what stands is not committed
  // twice, and a tick that now has other rows is refused (token_order).
  AppendOptions append;
  std::function<void(const RecordSummary&)> on_commit;  // after each commit
  std::function<bool()> stop;  // asked while waiting for lines; true ends with code `interrupted`
};

// Takes lines, in ascending order of their ticks. All rows of a tick, of whatever tables, are one commit,
// made at the first row of a later tick or by finish(). An error names the line and leaves what is committed
// as it is; the rows of the tick it came in are not committed, and the recorder is done: go on with a new
// one. Not for several threads.
class JsonLinesRecorder {
 public:
  explicit JsonLinesRecorder(Dataset& dataset, RecordOptions options = {});

  // Lines are counted from 1. A blank one is passed over. Throws SchemaError (bad_json) where it is no JSON
  // object, IoSchemaError (missing_column, unknown_table, bad_tick) where `table` or `tick` is wrong or the
  // tick is an earlier one, and whatever the append of a complete tick throws.
  void add_line(std::string_view line);
  // Commits the last tick.
  void finish();
  // All lines of a descriptor up to its end, then finish(). A tick is committed as soon as the first line of
  // a later one can be read.
  void add_lines_of(int descriptor);

  const RecordSummary& summary() const { return summary_; }
  // Rows taken but not committed, and the tick they belong to.
  std::int64_t pending_rows() const;
  std::optional<std::int64_t> pending_tick() const { return tick_; }

 private:
  struct Pending {
    std::shared_ptr<const core::TableDescriptor> descriptor;  // nullptr: the append is to define the table
    std::vector<JsonObject> rows;
    LineMap lines;
  };
  void add_row(JsonObject row);
  Pending& pending_of(const std::string& table);
  void take_tick(std::int64_t tick);
  void commit();
  AppendOptions options_of_tick() const;
  std::vector<TableFrame> pending_frames() const;
  void count(const std::vector<AppendSummary>& appended);
  [[noreturn]] void raise_about(const Error& error) const;

  Dataset& dataset_;
  RecordOptions options_;
  RecordSummary summary_;
  std::int64_t line_ = 0;
  std::optional<std::int64_t> tick_;
  std::map<std::string, Pending> pending_;  // of tick_, by table
};

}  // namespace crv::io
