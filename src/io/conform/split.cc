#include "io/conform/split.h"

#include <algorithm>
#include <span>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "io/arrow/arrow_types.h"
#include "io/arrow/gather.h"
#include "io/base/parallel.h"
#include "io/storage/paths.h"

namespace crv::io {

namespace {

using Bucket = Conformed::Bucket;

std::span<const std::int64_t> integers_of(const arrow::Array& array) {
  return {array.data()->GetValues<std::int64_t>(1), static_cast<std::size_t>(array.length())};
}

std::vector<Bucket> slice_runs(const arrow::Table& table, const std::vector<BucketColumn::Run>& runs) {
  std::vector<Bucket> result;
  result.reserve(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::int64_t end = i + 1 < runs.size() ? runs[i + 1].begin : table.num_rows();
    result.push_back({runs[i].bucket, runs[i].tick_min, runs[i].tick_max,
                      table.Slice(runs[i].begin, end - runs[i].begin)});
  }
  return result;
}

// Gives each bucket that occurs a small number, in ascending order of buckets.
class Slots {
 public:
  Slots(const arrow::ChunkedArray& ids, std::int64_t rows, std::int64_t lowest, std::int64_t highest)
      : lowest_(lowest) {
    constexpr std::uint64_t kAlwaysDense = 65536;
    const std::uint64_t range = static_cast<std::uint64_t>(highest) - static_cast<std::uint64_t>(lowest) + 1;
    if (range != 0 && range <= std::max(static_cast<std::uint64_t>(rows), kAlwaysDense))
      make_dense(ids, range);
    else
      make_sparse(ids);
  }

  const std::vector<std::int64_t>& ids() const { return ids_; }
  std::size_t of(std::int64_t id) const {
    if (!dense_.empty()) return dense_[static_cast<std::size_t>(id - lowest_)];
    return static_cast<std::size_t>(std::ranges::lower_bound(ids_, id) - ids_.begin());
  }

 private:
  void make_dense(const arrow::ChunkedArray& ids, std::uint64_t range) {
    dense_.assign(range, 0);
    for (const auto& chunk : ids.chunks())
      for (const std::int64_t id : integers_of(*chunk)) dense_[static_cast<std::size_t>(id - lowest_)] = 1;
    for (std::size_t i = 0; i < dense_.size(); ++i) {
      if (dense_[i] == 0) continue;
      dense_[i] = static_cast<std::uint32_t>(ids_.size());
      ids_.push_back(lowest_ + static_cast<std::int64_t>(i));
    }
  }

  void make_sparse(const arrow::ChunkedArray& ids) {
    for (const auto& chunk : ids.chunks()) {
      const auto values = integers_of(*chunk);
      ids_.insert(ids_.end(), values.begin(), values.end());
    }
    std::ranges::sort(ids_);
    ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  }

  std::int64_t lowest_;
  std::vector<std::uint32_t> dense_;  // by id - lowest_; empty where ids are too far apart
  std::vector<std::int64_t> ids_;
};

struct Gathered {
  std::vector<Bucket> buckets;
  std::vector<arrow::RecordBatchVector> batches;  // of each bucket
};

// Counting sort of one batch: each column is gathered once, and each bucket is a slice of that.
void scatter_batch(const arrow::RecordBatch& batch, const Slots& slots, Gathered& out, std::size_t threads) {
  const auto ticks = integers_of(*batch.GetColumnByName("tick"));
  const auto ids = integers_of(*batch.GetColumnByName("bucket"));
  std::vector<std::int64_t> next(slots.ids().size() + 1, 0);
  for (const std::int64_t id : ids) ++next[slots.of(id) + 1];
  for (std::size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
  const std::vector<std::int64_t> begins = next;
  std::shared_ptr<arrow::Buffer> buffer = check(
      arrow::AllocateBuffer(batch.num_rows() * std::int64_t{sizeof(std::int64_t)}), ErrorCode::wrong_type);
  auto* order = reinterpret_cast<std::int64_t*>(buffer->mutable_data());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::size_t slot = slots.of(ids[i]);
    order[next[slot]++] = static_cast<std::int64_t>(i);
    Bucket& bucket = out.buckets[slot];
    bucket.tick_min = std::min(bucket.tick_min, ticks[i]);
    bucket.tick_max = std::max(bucket.tick_max, ticks[i]);
  }
  const std::shared_ptr<arrow::Array> indices = std::make_shared<arrow::Int64Array>(batch.num_rows(), buffer);
  arrow::ArrayVector columns = batch.columns();
  const auto gather_column = [&](std::size_t i) { columns[i] = gather(columns[i], indices); };
  constexpr std::int64_t kWorthThreads = 65536;  // rows
  if (batch.num_rows() >= kWorthThreads)
    in_parallel(threads, columns.size(), gather_column);
  else
    for (std::size_t i = 0; i < columns.size(); ++i) gather_column(i);
  const auto sorted = arrow::RecordBatch::Make(batch.schema(), batch.num_rows(), std::move(columns));
  for (std::size_t slot = 0; slot + 1 < begins.size(); ++slot) {
    const std::int64_t length = begins[slot + 1] - begins[slot];
    if (length > 0) out.batches[slot].push_back(sorted->Slice(begins[slot], length));
  }
}

// The table in long pieces: many short ones, as a stream of small batches makes them, cost more than a copy.
std::shared_ptr<arrow::Table> without_short_pieces(const std::shared_ptr<arrow::Table>& table) {
  constexpr std::int64_t kShort = 16384;  // rows a piece
  int pieces = 0;
  for (const auto& column : table->columns()) pieces = std::max(pieces, column->num_chunks());
  if (pieces <= 1 || table->num_rows() / pieces >= kShort) return table;
  return check(table->CombineChunks(), ErrorCode::wrong_type);
}

}  // namespace

BucketColumn buckets_of(const arrow::ChunkedArray& ticks, std::int64_t bucket_size) {
  using Run = BucketColumn::Run;
  BucketColumn result;
  arrow::ArrayVector chunks;
  Run run;
  std::int64_t begin = 0, last = -1;  // [begin, last]: ticks of the run's bucket; -1 before the first row
  std::int64_t first_row = 0;         // of the chunk
  const auto close = [&] {
    if (last >= 0 && result.ascending) result.runs.push_back(run);
  };
  for (const auto& chunk : ticks.chunks()) {
    const auto values = integers_of(*chunk);
    std::shared_ptr<arrow::Buffer> buffer = check(
        arrow::AllocateBuffer(chunk->length() * std::int64_t{sizeof(std::int64_t)}), ErrorCode::wrong_type);
    auto* out = reinterpret_cast<std::int64_t*>(buffer->mutable_data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t tick = values[i];
      if (tick < begin || tick > last) {
        close();
        const std::int64_t bucket = tick / bucket_size;
        result.lowest = last < 0 ? bucket : std::min(result.lowest, bucket);
        result.highest = std::max(result.highest, bucket);
        result.ascending &= bucket >= run.bucket;
        run = {bucket, first_row + static_cast<std::int64_t>(i), tick, tick};
        const BucketTicks all = ticks_of_bucket(bucket, bucket_size);
        begin = all.first;
        last = all.last;
      }
      run.tick_min = std::min(run.tick_min, tick);
      run.tick_max = std::max(run.tick_max, tick);
      out[i] = run.bucket;
    }
    first_row += chunk->length();
    chunks.push_back(std::make_shared<arrow::Int64Array>(chunk->length(), std::move(buffer)));
  }
  close();
  if (!result.ascending) result.runs.clear();
  result.values = std::make_shared<arrow::ChunkedArray>(std::move(chunks), arrow::int64());
  return result;
}

std::vector<Bucket> split_by_bucket(const std::shared_ptr<arrow::Table>& table, const BucketColumn& buckets,
                                    std::size_t threads) {
  if (table->num_rows() == 0) return {};
  const std::shared_ptr<arrow::Table> joined = without_short_pieces(table);
  if (buckets.ascending) return slice_runs(*joined, buckets.runs);
  const Slots slots(*buckets.values, joined->num_rows(), buckets.lowest, buckets.highest);
  Gathered gathered;
  for (const std::int64_t id : slots.ids()) gathered.buckets.push_back({id, INT64_MAX, INT64_MIN, nullptr});
  gathered.batches.resize(gathered.buckets.size());
  const auto batches = check(arrow::TableBatchReader(*joined).ToRecordBatches(), ErrorCode::wrong_type);
  for (const auto& batch : batches) scatter_batch(*batch, slots, gathered, threads);
  for (std::size_t i = 0; i < gathered.buckets.size(); ++i) {
    gathered.buckets[i].rows =
        check(arrow::Table::FromRecordBatches(joined->schema(), gathered.batches[i]), ErrorCode::wrong_type);
  }
  return std::move(gathered.buckets);
}

}  // namespace crv::io
