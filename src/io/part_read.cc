#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include "io/arrow_types.h"
#include "io/part.h"
#include "io/part_footer.h"
#include "io/part_stream.h"

namespace crv::io {

namespace {

constexpr const char* kTick = "tick";

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  ErrorFacts facts;
  facts.path = path;
  raise(ErrorCode::part_damaged, path + ": the part cannot be read: " + what, facts);
}

// Runs what reads bytes that may be anything: whatever goes wrong in there is a damaged part, save for the
// storage's own errors, which stay what they are.
template <class Work>
auto reading(const std::string& path, Work work) {
  try {
    return work();
  } catch (const IoReadError&) {
    throw;
  } catch (const parquet::ParquetStatusException& error) {
    ErrorFacts facts;
    facts.path = path;
    check(error.status(), ErrorCode::part_damaged, facts);
    throw;
  } catch (const std::exception& error) {
    damaged(path, error.what());
  }
}

parquet::ArrowReaderProperties arrow_properties() {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_pre_buffer(false);  // the disk's own cache does as well
  return properties;
}

parquet::ReaderProperties file_properties() {
  parquet::ReaderProperties properties = parquet::default_reader_properties();
  properties.set_page_checksum_verification(true);
  return properties;
}

struct TickRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::max();
  std::int64_t max = std::numeric_limits<std::int64_t>::min();
  bool empty() const { return min > max; }
  void include(std::int64_t low, std::int64_t high) {
    min = std::min(min, low);
    max = std::max(max, high);
  }
};

using Column = std::shared_ptr<arrow::ChunkedArray>;

// A part whose footer has been read.
class PartFile {
 public:
  PartFile(Storage& storage, std::string path) : path_(std::move(path)) {
    std::unique_ptr<Reader> reader = storage.open(path_);
    if (reader == nullptr) {
      ErrorFacts facts;
      facts.path = path_;
      raise(ErrorCode::part_missing, path_ + ": the part is not there", facts);
    }
    file_ = std::make_shared<PartInput>(std::move(reader));
    reading(path_, [this] {
      metadata_ = parquet::ParquetFileReader::Open(file_, file_properties())->metadata();
      footer_ = parse_footer_keys(metadata_->key_value_metadata().get(), path_);
      check_rows();
      index_columns();
    });
  }

  const std::string& path() const { return path_; }
  std::int64_t bytes() const { return file_->GetSize().ValueOrDie(); }
  std::int64_t rows() const { return metadata_->num_rows(); }
  int groups() const { return metadata_->num_row_groups(); }
  std::int64_t rows_of(int group) const { return metadata_->RowGroup(group)->num_rows(); }
  const PartFooter& footer() const { return footer_; }

  // Types of all columns: as the footer's keys tell, else as Parquet's schema does.
  Columns columns() const {
    return reading(path_, [this] {
      const auto keys = metadata_->key_value_metadata();
      if (std::optional<Columns> told = parse_footer_columns(keys.get(), path_)) return *std::move(told);
      std::shared_ptr<arrow::Schema> schema;
      check(parquet::arrow::FromParquetSchema(metadata_->schema(), arrow_properties(), keys, &schema),
            ErrorCode::part_damaged, facts());
      return from_arrow(*schema);
    });
  }

  // The leaves below a column, empty where the part lacks it.
  const std::vector<int>& leaves(const std::string& column) const {
    static const std::vector<int> none;
    const auto found = leaves_.find(column);
    return found == leaves_.end() ? none : found->second;
  }

  // Rows of one row group, only the columns that `leaves` lie below.
  std::shared_ptr<arrow::Table> read(int group, const std::vector<int>& leaves) const {
    return reading(path_, [&] {
      // A reader of its own for each call, over the footer that is parsed once: so calls need no lock.
      auto file = parquet::ParquetFileReader::Open(file_, file_properties(), metadata_);
      const auto reader = check(
          parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(file), arrow_properties()),
          ErrorCode::part_damaged, facts());
      auto table = check(reader->ReadRowGroup(group, leaves), ErrorCode::part_damaged, facts());
      if (table->num_rows() != rows_of(group))
        damaged(path_, "its columns are not as long as its footer says");
      return table;
    });
  }

  // Column tick of one row group, as it is stored.
  Column read_tick(int group) const {
    check_tick();
    return read(group, leaves(kTick))->column(0);
  }

  // The range of ticks that a row group's statistics tell; nothing where it has none to go by.
  std::optional<TickRange> tick_statistics(int group) const {
    check_tick();
    return reading(path_, [&]() -> std::optional<TickRange> {
      const int leaf = leaves(kTick)[0];
      if (metadata_->schema()->Column(leaf)->sort_order() != parquet::SortOrder::SIGNED) return std::nullopt;
      const auto statistics = metadata_->RowGroup(group)->ColumnChunk(leaf)->statistics();
      if (statistics == nullptr || !statistics->HasMinMax()) return std::nullopt;
      TickRange range;
      if (statistics->physical_type() == parquet::Type::INT64) {
        const auto& typed = static_cast<const parquet::Int64Statistics&>(*statistics);
        range.include(typed.min(), typed.max());
      } else {
        const auto& typed = static_cast<const parquet::Int32Statistics&>(*statistics);
        range.include(typed.min(), typed.max());
      }
      if (range.empty()) damaged(path_, "its statistics have a least tick above the greatest");
      return range;
    });
  }

  ErrorFacts facts() const {
    ErrorFacts facts;
    facts.path = path_;
    return facts;
  }

 private:
  void check_rows() const {
    std::int64_t left = metadata_->num_rows();
    for (int group = 0; group < groups(); ++group) {
      const std::int64_t rows = rows_of(group);
      if (rows < 0 || rows > left) damaged(path_, "its row groups do not add up to its rows");
      left -= rows;
    }
    if (left != 0) damaged(path_, "its row groups do not add up to its rows");
  }

  void index_columns() {
    const parquet::SchemaDescriptor& schema = *metadata_->schema();
    const parquet::schema::GroupNode& root = *schema.group_node();
    for (int i = 0; i < root.field_count(); ++i) {
      if (!leaves_.try_emplace(root.field(i)->name()).second) {
        damaged(path_, "it has two columns \"" + root.field(i)->name() + "\"");
      }
    }
    for (int leaf = 0; leaf < schema.num_columns(); ++leaf) {
      leaves_[schema.GetColumnRoot(leaf)->name()].push_back(leaf);
    }
  }

  void check_tick() const {
    const std::vector<int>& found = leaves(kTick);
    if (found.empty()) damaged(path_, "it has no column \"tick\"");
    const parquet::ColumnDescriptor& column = *metadata_->schema()->Column(found[0]);
    const parquet::Type::type type = column.physical_type();
    const auto& logical = column.logical_type();
    const bool integer = (type == parquet::Type::INT64 || type == parquet::Type::INT32) &&
                         (logical == nullptr || logical->is_none() || logical->is_int());
    if (!integer || column.path()->ToDotVector().size() != 1 || column.max_repetition_level() != 0) {
      damaged(path_, "its column \"tick\" holds no integers");
    }
  }

  std::string path_;
  std::shared_ptr<PartInput> file_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  PartFooter footer_;
  std::map<std::string, std::vector<int>> leaves_;
};

// Calls use(row, tick) for each tick that is not null.
template <class Use>
void for_each_tick(const PartFile& part, const Column& ticks, Use use) {
  Type integer;
  integer.kind = Type::Kind::i64;
  std::int64_t row = 0;
  for (const auto& chunk : ticks->chunks()) {
    const auto adapted = adapt(chunk, integer, part.facts());
    const auto& values = static_cast<const arrow::Int64Array&>(*adapted);
    const bool nulls = values.null_count() > 0;
    for (std::int64_t i = 0; i < values.length(); ++i, ++row) {
      if (!nulls || values.IsValid(i)) use(row, values.Value(i));
    }
  }
}

TickRange tick_range(const PartFile& part, int group) {
  if (const std::optional<TickRange> told = part.tick_statistics(group)) return *told;
  TickRange range;
  for_each_tick(part, part.read_tick(group),
                [&](std::int64_t, std::int64_t tick) { range.include(tick, tick); });
  return range;
}

// Rows of a row group that a query takes.
struct Selection {
  std::int64_t count = 0, first = 0, last = -1;
  bool contiguous() const { return last - first + 1 == count; }
};

Column filtered(const Column& column, const Selection& selection, const std::shared_ptr<arrow::Array>& mask,
                const ErrorFacts& facts) {
  if (mask == nullptr) return column->Slice(selection.first, selection.count);
  ensure_compute();
  return check(arrow::compute::Filter(column, mask), ErrorCode::part_damaged, facts).chunked_array();
}

}  // namespace

PartFacts read_part_facts(Storage& storage, const std::string& path) {
  const PartFile part(storage, path);
  PartFacts facts;
  facts.footer = part.footer();
  facts.footer.columns = part.columns();
  facts.rows = part.rows();
  facts.bytes = part.bytes();
  TickRange range;
  for (int group = 0; group < part.groups(); ++group) {
    const TickRange of_group = part.rows_of(group) == 0 ? TickRange() : tick_range(part, group);
    if (!of_group.empty()) range.include(of_group.min, of_group.max);
  }
  if (range.empty()) damaged(path, "it has no row with a tick");
  facts.tick_min = range.min;
  facts.tick_max = range.max;
  return facts;
}

std::optional<std::int64_t> parquet_rows(Storage& storage, const std::string& path) {
  try {
    return PartFile(storage, path).rows();
  } catch (const IoReadError& error) {
    if (error.code() == ErrorCode::read_failed) throw;
    return std::nullopt;
  }
}

struct PartReader::State {
  State(Storage& storage, std::string path, const PartQuery& asked)
      : part(storage, std::move(path)), query(asked), schema(to_arrow(asked.wanted)) {}

  bool filters() const { return query.tick_min > INT64_MIN || query.tick_max < INT64_MAX; }

  void plan() {
    for (int group = 0; group < part.groups(); ++group) {
      if (part.rows_of(group) == 0) continue;
      const std::optional<TickRange> range = filters() ? part.tick_statistics(group) : std::nullopt;
      if (!range || (range->max >= query.tick_min && range->min <= query.tick_max)) groups.push_back(group);
    }
    for (const Field& column : query.wanted) {
      const std::vector<int>& below = part.leaves(column.name);
      if (!(filters() && column.name == kTick)) leaves.insert(leaves.end(), below.begin(), below.end());
    }
  }

  Selection select(const Column& ticks) const {
    Selection selection;
    for_each_tick(part, ticks, [&](std::int64_t row, std::int64_t tick) {
      if (tick < query.tick_min || tick > query.tick_max) return;
      if (selection.count++ == 0) selection.first = row;
      selection.last = row;
    });
    return selection;
  }

  std::shared_ptr<arrow::Array> mask_of(const Column& ticks) const {
    const std::int64_t rows = ticks->length();
    std::shared_ptr<arrow::Buffer> bits =
        check(arrow::AllocateEmptyBitmap(rows), ErrorCode::part_damaged, part.facts());
    for_each_tick(part, ticks, [&](std::int64_t row, std::int64_t tick) {
      if (tick >= query.tick_min && tick <= query.tick_max)
        arrow::bit_util::SetBit(bits->mutable_data(), row);
    });
    return std::make_shared<arrow::BooleanArray>(rows, std::move(bits));
  }

  // The wanted columns that the part has, under their names, with only the selected rows. It may have none.
  std::shared_ptr<arrow::Table> read(int group) const {
    Selection selection{part.rows_of(group), 0, part.rows_of(group) - 1};
    Column ticks;
    std::shared_ptr<arrow::Array> mask;
    if (filters()) {
      ticks = part.read_tick(group);
      selection = select(ticks);
      if (selection.count > 0 && !selection.contiguous()) mask = mask_of(ticks);
    }
    if (selection.count == 0) return nullptr;
    const auto table = leaves.empty() ? nullptr : part.read(group, leaves);
    arrow::FieldVector fields;
    std::vector<Column> columns;
    for (const Field& wanted : query.wanted) {
      Column column = table == nullptr ? nullptr : table->GetColumnByName(wanted.name);
      if (column == nullptr && wanted.name == kTick) column = ticks;
      if (column == nullptr) continue;
      fields.push_back(arrow::field(wanted.name, column->type()));
      columns.push_back(filtered(column, selection, mask, part.facts()));
    }
    return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns), selection.count);
  }

  std::shared_ptr<arrow::RecordBatch> adapted(const arrow::RecordBatch& batch) const {
    arrow::ArrayVector arrays;
    ErrorFacts facts = part.facts();
    for (int i = 0; i < schema->num_fields(); ++i) {
      const Field& wanted = query.wanted[static_cast<std::size_t>(i)];
      facts.column = wanted.name;
      const auto given = batch.GetColumnByName(wanted.name);
      arrays.push_back(given != nullptr
                           ? adapt(given, wanted.type, facts)
                           : check(arrow::MakeArrayOfNull(schema->field(i)->type(), batch.num_rows()),
                                   ErrorCode::part_damaged, facts));
    }
    return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(arrays));
  }

  PartFile part;
  PartQuery query;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<int> groups;  // that can match
  std::vector<int> leaves;  // to be read; without tick's where the filter reads it anyway
};

PartReader::PartReader(Storage& storage, std::string path, const PartQuery& query, std::string_view table,
                       std::string_view run_id, std::int64_t expected_bytes)
    : state_(std::make_unique<State>(storage, std::move(path), query)) {
  const PartFile& part = state_->part;
  if (expected_bytes >= 0 && part.bytes() != expected_bytes) {
    damaged(part.path(),
            "it has " + std::to_string(part.bytes()) + " bytes instead of " + std::to_string(expected_bytes));
  }
  const PartFooter& footer = part.footer();
  const auto must_be = [&](const char* what, const std::string& found, std::string_view expected) {
    if (found.empty() || found == expected) return;
    ErrorFacts facts = part.facts();
    facts.value = found;
    raise(ErrorCode::part_foreign,
          part.path() + ": the part belongs to the " + what + " \"" + found + "\", not \"" +
              std::string(expected) + "\"",
          facts);
  };
  must_be("table", footer.table, table);
  must_be("run", footer.run_id, run_id);
  state_->plan();
}

PartReader::~PartReader() = default;

std::int64_t PartReader::row_groups() const {
  return static_cast<std::int64_t>(state_->groups.size());
}

std::int64_t PartReader::row_groups_total() const {
  return state_->part.groups();
}

std::vector<std::shared_ptr<arrow::RecordBatch>> PartReader::read_row_group(std::int64_t i) {
  const State& state = *state_;
  return reading(state.part.path(), [&] {
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    const auto table = state.read(state.groups.at(static_cast<std::size_t>(i)));
    if (table == nullptr) return batches;
    arrow::TableBatchReader reader(*table);
    reader.set_chunksize(state.query.batch_rows);
    for (;;) {
      const auto batch = check(reader.Next(), ErrorCode::part_damaged, state.part.facts());
      if (batch == nullptr) return batches;
      batches.push_back(state.adapted(*batch));
    }
  });
}

}  // namespace crv::io
