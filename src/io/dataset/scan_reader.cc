#include "io/dataset/scan_reader.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <future>
#include <utility>

#include <arrow/record_batch.h>

#include "crv/core/error.h"
#include "io/arrow/arrow_types.h"
#include "io/base/os.h"
#include "io/base/parallel.h"
#include "io/base/sums.h"
#include "io/conform/accepted.h"
#include "io/part/part.h"

namespace crv::io {

namespace {

constexpr std::int64_t kWorthThreads = 50'000;  // rows below which starting threads costs more than it saves

// Reads the kept parts in order, a few parts and row groups ahead.
class ScanReader : public arrow::RecordBatchReader {
 public:
  explicit ScanReader(std::shared_ptr<const Scan::State> state)
      : state_(std::move(state)), left_(state_->limit.value_or(INT64_MAX)), workers_(state_->threads) {
    std::int64_t rows = 0;
    for (const std::size_t i : state_->kept()) {
      kept_.push_back(state_->summary(state_->parts->parts[i]));
      rows = capped_sum(rows, kept_.back().rows);
    }
    ahead_ = rows >= kWorthThreads && state_->threads > 1 ? state_->threads + 1 : 1;
  }

  std::shared_ptr<arrow::Schema> schema() const override { return state_->schema; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    if (!failed_.ok()) return failed_;
    try {
      if (process_ != process_id())
        raise(ErrorCode::read_failed, "This reader was begun by the process that this one was forked from.",
              {.run_id = state_->run_id, .table = state_->table});
      *out = next();
    } catch (...) {  // nothing may leave through Arrow's C interface
      failed_ = status_of(std::current_exception());
    }
    return failed_;
  }

 private:
  struct Opened {
    std::shared_ptr<PartReader> part;
    Batches first;
    std::string path;
  };

  std::shared_ptr<arrow::RecordBatch> next() {
    while (left_ > 0) {
      if (!ready_.empty()) {
        std::shared_ptr<arrow::RecordBatch> batch = std::move(ready_.front());
        ready_.pop_front();
        if (batch->num_rows() == 0) continue;
        if (batch->num_rows() > left_) batch = batch->Slice(0, left_);
        left_ -= batch->num_rows();
        return batch;
      }
      if (!fetch()) return nullptr;
    }
    return nullptr;
  }

  // Fills ready_ from the next row group; false at the end.
  bool fetch() {
    if (part_ && next_group_ + static_cast<std::int64_t>(groups_.size()) < part_->row_groups())
      start_groups();
    if (!groups_.empty()) {
      take(groups_.front().get());
      groups_.pop_front();
      ++next_group_;
      return true;
    }
    while (parts_.size() < ahead_ && next_part_ < kept_.size()) start_part(kept_[next_part_++]);
    if (parts_.empty()) return false;
    Opened opened = parts_.front().get();
    parts_.pop_front();
    part_ = std::move(opened.part);
    path_ = std::move(opened.path);
    next_group_ = 1;
    take(std::move(opened.first));
    return true;
  }

  void take(Batches batches) {
    for (auto& batch : batches) {
      if (state_->for_polars) require_utf8(*batch);
      ready_.push_back(std::move(batch));
    }
  }

  void require_utf8(const arrow::RecordBatch& batch) const {
    const std::optional<std::string> column = find_text_not_utf8(batch);
    if (!column) return;
    raise(ErrorCode::part_damaged,
          "Part " + path_ + ", column \"" + *column +
              "\", holds text that is not UTF-8, which Polars cannot hold. An older writer took it. "
              "scan_arrow() and `crv scan` read it.",
          {.run_id = state_->run_id, .table = state_->table, .column = *column, .path = path_});
  }

  void start_part(const PartSummary& part) {
    std::function<Opened()> task = [state = state_, &part] {
      Opened opened;
      opened.path = part.path;
      opened.part = std::make_shared<PartReader>(*state->storage, part.path, state->query, state->table,
                                                 state->run_id, part.bytes);
      if (opened.part->row_groups() > 0) opened.first = opened.part->read_row_group(0);
      return opened;
    };
    parts_.push_back(start(std::move(task)));
  }

  void start_groups() {
    while (groups_.size() < ahead_ &&
           next_group_ + static_cast<std::int64_t>(groups_.size()) < part_->row_groups()) {
      std::int64_t group = next_group_ + static_cast<std::int64_t>(groups_.size());
      std::function<Batches()> task = [part = part_, group] { return part->read_row_group(group); };
      groups_.push_back(start(std::move(task)));
    }
  }

  template <class T>
  std::future<T> start(std::function<T()> task) {
    if (ahead_ > 1) return workers_.start(std::move(task));
    return std::async(std::launch::deferred, std::move(task));
  }

  std::shared_ptr<const Scan::State> state_;
  const std::int64_t process_ = process_id();
  std::vector<PartSummary> kept_;
  std::size_t next_part_ = 0, ahead_ = 1;
  std::int64_t left_ = 0;
  arrow::Status failed_;  // the first failure: the reader is no further use
  std::deque<std::shared_ptr<arrow::RecordBatch>> ready_;
  std::shared_ptr<PartReader> part_;
  std::string path_;  // of part_
  std::int64_t next_group_ = 0;
  std::deque<std::future<Batches>> groups_;
  std::deque<std::future<Opened>> parts_;
  Workers workers_;  // last: its threads end before what they use
};

[[noreturn]] void refuse_part(const Scan::State& state, const PartSummary& part, ErrorCode code,
                              const std::string& why) {
  raise(code, "Part " + part.path + ' ' + why,
        {.run_id = state.run_id, .table = state.table, .path = part.path});
}

// Parts up to this size are checked as a whole, footer included; of larger ones only the pages that are
// wanted are read.
constexpr std::int64_t kSmallPart = 1 << 20;  // bytes

void check_part(const Scan::State& state, const PartSummary& part) {
  const std::optional<Storage::Stat> stat = state.storage->stat(part.path);
  if (!stat) refuse_part(state, part, ErrorCode::part_missing, "is listed, but not there.");
  if (stat->size != part.bytes)
    refuse_part(
        state, part, ErrorCode::part_damaged,
        "has " + std::to_string(stat->size) + " bytes; " + std::to_string(part.bytes) + " were written.");
}

void check_bytes(const Scan::State& state, const PartSummary& part, const std::string& checksum) {
  if (part.bytes > kSmallPart)
    return PartReader(*state.storage, part.path, state.query, state.table, state.run_id, part.bytes)
        .check_pages();
  if (state.sound->holds(part.path)) return;
  const std::unique_ptr<Reader> object = state.storage->open(part.path);
  if (!object) refuse_part(state, part, ErrorCode::part_missing, "is listed, but not there.");
  if (checksum_of(*object) != checksum)
    refuse_part(state, part, ErrorCode::part_damaged, "does not hold the bytes that were written.");
  state.sound->add(part.path);
}

}  // namespace

std::shared_ptr<arrow::RecordBatchReader> make_reader(std::shared_ptr<const Scan::State> state) {
  return std::make_shared<ScanReader>(std::move(state));
}

void check_kept_parts(const Scan::State& state, bool checksums) {
  const std::vector<std::size_t> kept = state.kept();
  in_parallel(state.threads, kept.size(), [&](std::size_t i) {
    const PackedPart& packed = state.parts->parts[kept[i]];
    const PartSummary part = state.summary(packed);
    check_part(state, part);
    if (checksums && packed.checksum_kind != PackedPart::Checksum::none)
      check_bytes(state, part, checksum_text(packed));
  });
}

}  // namespace crv::io
