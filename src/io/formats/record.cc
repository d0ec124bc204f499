#include "crv/io/record.h"

#include <algorithm>
#include <utility>

#include "core/number_text.h"
#include "crv/core/descriptor.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"
#include "io/formats/json_line.h"
#include "io/formats/streams.h"

namespace crv::io {
namespace {

[[noreturn]] void raise_row(ErrorCode code, const std::string& what, std::int64_t line,
                            const std::string& column, const std::string& value = {}) {
  ErrorFacts facts;
  facts.line = line;
  facts.column = column;
  facts.value = value;
  raise(code, "line " + std::to_string(line) + ": " + what, facts);
}

std::int64_t tick_of(const JsonObject& row, std::int64_t line) {
  const Json* value = row.find("tick");
  if (!value) raise_row(ErrorCode::missing_column, "the row has no \"tick\"", line, "tick");
  const auto tick = core::whole_number(*value);
  if (!tick || *tick < 0) {
    const std::string text = shortened(write_json(*value));
    raise_row(ErrorCode::bad_tick, "a tick must be an integer from 0 on, not " + text, line, "tick", text);
  }
  return *tick;
}

const std::string& table_of(const JsonObject& row, std::int64_t line) {
  const Json* value = row.find("table");
  if (!value) raise_row(ErrorCode::missing_column, "the row has no \"table\"", line, "table");
  const auto* name = value->get_if<std::string>();
  if (!name) {
    const std::string text = shortened(write_json(*value));
    raise_row(ErrorCode::unknown_table, "a table is named by a text, not by " + text, line, "table", text);
  }
  return *name;
}

JsonObject without_table(JsonObject&& row) {
  JsonObject rest;
  for (auto& [key, value] : row)
    if (key != "table") rest.push_back(std::move(key), std::move(value));
  return rest;
}

Json optional_json(const std::optional<std::int64_t>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

Json to_json(const RecordSummary& summary) {
  JsonObject tables;
  for (const auto& [table, rows] : summary.rows_by_table) tables.push_back(table, rows);
  JsonObject json{{"ticks", summary.ticks},
                  {"rows", summary.rows},
                  {"commits", summary.commits},
                  {"first_tick", optional_json(summary.first_tick)},
                  {"last_tick", optional_json(summary.last_tick)},
                  {"tables", std::move(tables)}};
  if (summary.repeated) json.push_back("repeated", *summary.repeated);
  if (summary.quarantined) json.push_back("quarantined", *summary.quarantined);
  return json;
}

JsonLinesRecorder::JsonLinesRecorder(Dataset& dataset, RecordOptions options)
    : dataset_(dataset), options_(std::move(options)) {
  if (options_.append.token) {
    check_token(step_of(*options_.append.token, 0));
    summary_.repeated = 0;
  }
}

AppendOptions JsonLinesRecorder::options_of_tick() const {
  AppendOptions options = options_.append;
  if (options.token) {
    options.token = step_of(*options.token, *tick_);
    options.repeats_steps = true;
  }
  return options;
}

std::int64_t JsonLinesRecorder::pending_rows() const {
  std::int64_t rows = 0;
  for (const auto& [table, pending] : pending_) rows += static_cast<std::int64_t>(pending.rows.size());
  return rows;
}

void JsonLinesRecorder::add_line(std::string_view line) {
  ++line_;
  if (auto row = parse_json_line(line, line_)) add_row(std::move(*row));
}

void JsonLinesRecorder::add_row(JsonObject row) {
  take_tick(tick_of(row, line_));
  auto& pending = pending_of(table_of(row, line_));
  pending.rows.push_back(without_table(std::move(row)));
  pending.lines.add(line_);
}

// A table is looked for once a tick.
JsonLinesRecorder::Pending& JsonLinesRecorder::pending_of(const std::string& table) {
  if (const auto known = pending_.find(table); known != pending_.end()) return known->second;
  try {
    auto descriptor = options_.append.create ? dataset_.find_table(table) : nullptr;
    if (!descriptor && !options_.append.create) descriptor = dataset_.require_table(table);
    return pending_.emplace(table, Pending{std::move(descriptor), {}, {}}).first->second;
  } catch (const IoSchemaError& error) {
    raise_row(error.code(), error.what(), line_, "table", table);
  }
}

// The first row of a later tick says that the one before is complete, whatever else may be wrong with that
// row.
void JsonLinesRecorder::take_tick(std::int64_t tick) {
  if (tick_ && tick < *tick_) {
    raise_row(ErrorCode::bad_tick,
              "tick " + std::to_string(tick) + " comes after tick " + std::to_string(*tick_) +
                  " had begun: rows must come in ascending order of their ticks",
              line_, "tick", std::to_string(tick));
  }
  if (tick_ && tick > *tick_) commit();
  tick_ = tick;
}

std::vector<TableFrame> JsonLinesRecorder::pending_frames() const {
  std::vector<TableFrame> frames;
  frames.reserve(pending_.size());
  for (const auto& [table, pending] : pending_)
    frames.push_back({table, frame_from_json(pending.rows, pending.descriptor.get())});
  return frames;
}

void JsonLinesRecorder::count(const std::vector<AppendSummary>& appended) {
  const bool repeated =
      std::any_of(appended.begin(), appended.end(), [](const AppendSummary& one) { return one.repeated; });
  if (repeated) ++*summary_.repeated;
  for (const auto& one : appended) {
    summary_.rows_by_table[one.table] += one.rows;
    summary_.rows += one.rows;
    if (one.quarantined) summary_.quarantined = summary_.quarantined.value_or(0) + *one.quarantined;
  }
  pending_.clear();
}

void JsonLinesRecorder::commit() {
  if (pending_.empty()) return;
  try {
    count(dataset_.append(pending_frames(), options_of_tick()));
  } catch (const Error& error) {
    raise_about(error);
  }
  ++summary_.ticks;
  ++summary_.commits;
  if (!summary_.first_tick) summary_.first_tick = tick_;
  summary_.last_tick = tick_;
  if (options_.on_commit) options_.on_commit(summary_);
}

void JsonLinesRecorder::raise_about(const Error& error) const {
  const auto& facts = error.facts();
  const auto table = pending_.find(facts.table);
  raise_at_line(
      error, table == pending_.end() || !facts.row ? std::nullopt : table->second.lines.line_of(*facts.row));
}

void JsonLinesRecorder::finish() {
  commit();
}

void JsonLinesRecorder::add_lines_of(int descriptor) {
  FdInput input(descriptor, "standard input", options_.stop);
  input.unpack();
  LineReader lines(input);
  while (true) {
    const auto line = lines.next();
    if (!line) break;
    add_line(*line);
  }
  finish();
}

}  // namespace crv::io
