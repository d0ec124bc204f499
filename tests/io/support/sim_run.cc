#include "io/support/sim_run.h"

#include <arrow/array.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <atomic>

#include "io/log/run_file.h"
#include "io/storage/local_storage.h"
#include "io/storage/paths.h"

namespace crv::io {
namespace {

std::atomic<std::uint64_t> next_ids = 1;

IoSettings sim_settings() {
  IoSettings settings;
  settings.tick_bucket_size = 10;
  return settings;
}

std::int64_t value_at(const arrow::ChunkedArray& column, std::int64_t row) {
  for (const auto& chunk : column.chunks()) {
    if (row < chunk->length()) return static_cast<const arrow::Int64Array&>(*chunk).Value(row);
    row -= chunk->length();
  }
  throw std::out_of_range("row");
}

}  // namespace

DatasetOptions sim_options(std::shared_ptr<SimOs> disk, std::vector<std::string>* warnings) {
  auto clock = std::make_shared<std::atomic<std::int64_t>>(1'700'000'000'000'000);
  auto ids = [] { return counting_ids(next_ids.fetch_add(1'000'000)); };
  DatasetOptions options;
  options.now_us = [clock] { return ++*clock; };
  options.new_id = ids();
  options.storage = local_storage(Durability::commit, std::move(disk), ids());
  options.on_warning = [warnings](const std::string& text) {
    if (warnings)
      warnings->push_back(text);
    else
      ADD_FAILURE() << "warning: " << text;
  };
  return options;
}

Dataset sim_dataset(std::shared_ptr<SimOs> disk, std::vector<std::string>* warnings) {
  return Dataset(sim_settings(), sim_run_id, sim_options(std::move(disk), warnings));
}

std::vector<core::HoldingsRow> holdings(const std::vector<std::int64_t>& ticks, std::int64_t first_quantity) {
  std::vector<core::HoldingsRow> rows;
  for (std::int64_t tick : ticks) {
    core::HoldingsRow row;
    row.tick = tick;
    row.agent_id = "a";
    row.token_id = "t";
    row.quantity = first_quantity++;
    rows.push_back(row);
  }
  return rows;
}

Frame own_rows(const std::vector<std::int64_t>& ticks, std::int64_t first_quantity, bool floats) {
  std::vector<JsonObject> rows;
  for (const std::int64_t tick : ticks) {
    const Json quantity = floats ? Json(static_cast<double>(first_quantity) + 0.5) : Json(first_quantity);
    rows.push_back({{"tick", tick}, {"quantity", quantity}});
    ++first_quantity;
  }
  return frame_from_json(rows);
}

AppendSummary append_own(Dataset& dataset, const std::string& table, const Frame& rows) {
  AppendOptions options;
  options.create = true;
  return dataset.append(table, rows, options);
}

Seen seen(Dataset& dataset) {
  Seen all;
  for (const TableInfo& info : dataset.tables()) {
    std::shared_ptr<arrow::Table> rows = dataset.read(info.table);
    if (rows->num_rows() == 0) continue;
    auto quantity = rows->GetColumnByName("quantity");
    bool integers = quantity && quantity->type()->id() == arrow::Type::INT64;
    for (std::int64_t i = 0; i < rows->num_rows(); ++i)
      all[info.table].emplace_back(value_at(*rows->GetColumnByName("tick"), i),
                                   integers ? value_at(*quantity, i) : -1);
  }
  return all;
}

Seen seen_on(const std::shared_ptr<SimOs>& disk) {
  Dataset dataset = sim_dataset(disk);
  return seen(dataset);
}

std::vector<std::string> part_files(const SimOs& disk) {
  std::vector<std::string> names;
  for (const auto& [path, bytes] : disk.files())
    if (is_part_file(base_name_of(path))) names.push_back(path);
  return names;
}

void put_run(SimOs& disk, std::int64_t commits_per_fold) {
  RunInfo info;
  info.run_id = sim_run_id;
  info.created_at = "2026-01-01T00:00:00+00:00";
  info.tick_bucket_size = sim_settings().tick_bucket_size;
  info.commits_per_fold = commits_per_fold;
  RunPaths paths(sim_settings().root_dir, sim_run_id);
  disk.put(paths.run_json(), encode_run(info));
  disk.put_folder(paths.log());
  disk.put_folder(paths.tables());
}

}  // namespace crv::io
