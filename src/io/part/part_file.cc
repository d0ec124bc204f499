#include "io/part/part_file.h"

#include <algorithm>
#include <utility>

#include <arrow/table.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include "io/part/part_footer.h"
#include "io/part/part_stream.h"

namespace crv::io {

namespace {

parquet::ArrowReaderProperties arrow_properties() {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_pre_buffer(false);  // the disk's own cache does as well
  return properties;
}

parquet::ReaderProperties file_properties() {
  parquet::ReaderProperties properties = parquet::default_reader_properties();
  properties.set_page_checksum_verification(true);
  properties.set_schema_depth_limit(4 * kMaxTypeDepth);  // as deep as any writer of crv has nested
  return properties;
}

template <class Statistics>
TickSpan span_of(const parquet::Statistics& statistics) {
  const auto& typed = static_cast<const Statistics&>(statistics);
  return {typed.min(), typed.max()};
}

TickSpan tick_span(const PartFile& part, int group) {
  if (const std::optional<TickSpan> told = part.tick_statistics(group)) return *told;
  TickSpan range;
  for_each_tick(part, part.read_tick(group),
                [&](std::int64_t, std::int64_t tick) { range.include(tick, tick); });
  return range;
}

}  // namespace

void damaged_part(const std::string& path, const std::string& what) {
  ErrorFacts facts;
  facts.path = path;
  raise(ErrorCode::part_damaged, path + ": the part cannot be read: " + what, facts);
}

void TickSpan::include(std::int64_t low, std::int64_t high) {
  min = std::min(min, low);
  max = std::max(max, high);
}

PartFile::PartFile(Storage& storage, std::string path) : path_(std::move(path)) {
  std::unique_ptr<Reader> reader = storage.open(path_);
  if (!reader) raise(ErrorCode::part_missing, path_ + ": the part is not there", facts());
  bytes_ = reader->size();
  file_ = std::make_shared<PartInput>(std::move(reader));
  reading_part(path_, [this] {
    metadata_ = parquet::ParquetFileReader::Open(file_, file_properties())->metadata();
    footer_ = parse_footer_keys(metadata_->key_value_metadata().get(), path_);
    check_rows();
    index_columns();
  });
}

ErrorFacts PartFile::facts() const {
  ErrorFacts facts;
  facts.path = path_;
  return facts;
}

std::int64_t PartFile::rows() const {
  return metadata_->num_rows();
}

int PartFile::groups() const {
  return metadata_->num_row_groups();
}

std::int64_t PartFile::rows_of(int group) const {
  return metadata_->RowGroup(group)->num_rows();
}

Columns PartFile::columns() const {
  return reading_part(path_, [this] {
    const auto keys = metadata_->key_value_metadata();
    std::optional<Columns> told = parse_footer_columns(keys.get(), path_);
    return told ? *std::move(told) : stored_columns();
  });
}

Definition PartFile::definition() const {
  return reading_part(path_, [this] {
    const auto keys = metadata_->key_value_metadata();
    return parse_footer_definition(keys.get(), path_);
  });
}

Columns PartFile::stored_columns() const {
  return reading_part(path_, [this] {
    std::shared_ptr<arrow::Schema> schema;
    check(parquet::arrow::FromParquetSchema(metadata_->schema(), arrow_properties(),
                                            metadata_->key_value_metadata(), &schema),
          ErrorCode::part_damaged, facts());
    return from_arrow(*schema);
  });
}

const std::vector<int>& PartFile::leaves(const std::string& column) const {
  static const std::vector<int> none;
  const auto found = leaves_.find(column);
  return found == leaves_.end() ? none : found->second;
}

std::shared_ptr<arrow::Table> PartFile::read(int group, const std::vector<int>& leaves) const {
  return reading_part(path_, [&] {
    // A reader of its own for each call, over the footer that is parsed once: so calls need no lock.
    auto file = parquet::ParquetFileReader::Open(file_, file_properties(), metadata_);
    const auto reader = check(
        parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(file), arrow_properties()),
        ErrorCode::part_damaged, facts());
    auto table = check(reader->ReadRowGroup(group, leaves), ErrorCode::part_damaged, facts());
    if (table->num_rows() != rows_of(group))
      damaged_part(path_, "its columns are not as long as its footer says");
    return table;
  });
}

void PartFile::check_pages(int group, const std::vector<int>& leaves) const {
  reading_part(path_, [&] {
    const auto row_group = metadata_->RowGroup(group);
    parquet::ReaderProperties properties = file_properties();
    for (const int leaf : leaves) {
      const auto chunk = row_group->ColumnChunk(leaf);
      std::int64_t start = chunk->data_page_offset();
      if (chunk->has_dictionary_page()) start = std::min(start, chunk->dictionary_page_offset());
      // Told that they are not compressed, the reader leaves the pages as they are once it has checked them.
      const auto pages = parquet::PageReader::Open(
          properties.GetStream(file_, start, chunk->total_compressed_size()), chunk->num_values(),
          parquet::Compression::UNCOMPRESSED, properties, *metadata_->schema()->Column(leaf));
      while (pages->NextPage()) {
      }
    }
  });
}

std::shared_ptr<arrow::ChunkedArray> PartFile::read_tick(int group) const {
  return read(group, {tick_leaf()})->column(0);
}

std::optional<TickSpan> PartFile::tick_statistics(int group) const {
  const int leaf = tick_leaf();
  return reading_part(path_, [&]() -> std::optional<TickSpan> {
    if (metadata_->schema()->Column(leaf)->sort_order() != parquet::SortOrder::SIGNED) return std::nullopt;
    const auto statistics = metadata_->RowGroup(group)->ColumnChunk(leaf)->statistics();
    if (!statistics || !statistics->HasMinMax()) return std::nullopt;
    const TickSpan span = statistics->physical_type() == parquet::Type::INT64
                              ? span_of<parquet::Int64Statistics>(*statistics)
                              : span_of<parquet::Int32Statistics>(*statistics);
    if (span.empty()) damaged_part(path_, "its statistics have a least tick above the greatest");
    return span;
  });
}

void PartFile::check_rows() const {
  std::int64_t left = metadata_->num_rows();
  for (int group = 0; group < groups(); ++group) {
    const std::int64_t rows = rows_of(group);
    if (rows < 0 || rows > left) damaged_part(path_, "its row groups do not add up to its rows");
    left -= rows;
  }
  if (left != 0) damaged_part(path_, "its row groups do not add up to its rows");
}

void PartFile::index_columns() {
  const parquet::SchemaDescriptor& schema = *metadata_->schema();
  const parquet::schema::GroupNode& root = *schema.group_node();
  for (int i = 0; i < root.field_count(); ++i)
    if (!leaves_.try_emplace(root.field(i)->name()).second)
      damaged_part(path_, "it has two columns \"" + root.field(i)->name() + "\"");
  for (int leaf = 0; leaf < schema.num_columns(); ++leaf)
    leaves_[schema.GetColumnRoot(leaf)->name()].push_back(leaf);
}

int PartFile::tick_leaf() const {
  const std::vector<int>& found = leaves(kTick);
  if (found.empty()) damaged_part(path_, "it has no column \"tick\"");
  const parquet::ColumnDescriptor& column = *metadata_->schema()->Column(found[0]);
  const parquet::Type::type type = column.physical_type();
  const auto& logical = column.logical_type();
  const bool integer = (type == parquet::Type::INT64 || type == parquet::Type::INT32) &&
                       (logical == nullptr || logical->is_none() || logical->is_int());
  if (!integer || column.path()->ToDotVector().size() != 1 || column.max_repetition_level() != 0)
    damaged_part(path_, "its column \"tick\" holds no integers");
  return found[0];
}

PartRecord record_of(std::int64_t bucket, const std::string& file, const PartFacts& facts) {
  PartRecord record;
  record.bucket = bucket;
  record.meta = {file, facts.rows, facts.bytes, facts.tick_min, facts.tick_max, facts.footer.created_at};
  record.schema = schema_id(facts.footer.columns);
  return record;
}

PartFacts read_part_facts(Storage& storage, const std::string& path) {
  const PartFile part(storage, path);
  PartFacts facts;
  facts.footer = part.footer();
  facts.footer.columns = part.columns();
  facts.footer.definition = part.definition();
  facts.stored = part.stored_columns();
  facts.rows = part.rows();
  facts.bytes = part.bytes();
  TickSpan range;
  for (int group = 0; group < part.groups(); ++group) {
    const TickSpan of_group = part.rows_of(group) == 0 ? TickSpan() : tick_span(part, group);
    if (!of_group.empty()) range.include(of_group.min, of_group.max);
  }
  if (range.empty()) damaged_part(path, "it has no row with a tick");
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

}  // namespace crv::io
