// Parts for tests: tables written as JSON, encoded into memory, and read back.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>

#include "io/arrow/arrow_types.h"
#include "io/part/part.h"
#include "io/support/arrow_json.h"
#include "io/support/memory_storage.h"

namespace crv::io {

inline constexpr const char* kPart = "part-0123456789abcdef0123456789abcdef.parquet";

struct NamedColumn {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string json;
};

inline std::shared_ptr<arrow::Table> table_of(const std::vector<NamedColumn>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const NamedColumn& column : columns) {
    fields.push_back(arrow::field(column.name, column.type));
    arrays.push_back(array_of(column.type, column.json));
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), arrays);
}

inline PartFooter footer_of(const arrow::Table& rows) {
  PartFooter footer;
  footer.schema_version = "0.1@2025-09-20";
  footer.table = "exchange";
  footer.run_id = "run_1";
  footer.append_id = "0123456789abcdef0123456789abcdef";
  footer.append_parts = 2;
  footer.created_at = "2026-01-02T03:04:05.000006+00:00";
  footer.columns = from_arrow(*rows.schema());
  return footer;
}

inline EncodedPart encode(Storage& storage, const arrow::Table& rows, const EncodeSettings& settings = {}) {
  const auto writer = storage.create(kPart);
  return write_part(*writer, rows, footer_of(rows), settings);
}

inline std::shared_ptr<arrow::Table> decode(PartReader& reader, const Columns& wanted) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (std::int64_t i = 0; i < reader.row_groups(); ++i) {
    for (auto& batch : reader.read_row_group(i)) {
      const arrow::Status valid = batch->ValidateFull();
      EXPECT_TRUE(valid.ok()) << valid.ToString();
      EXPECT_GT(batch->num_rows(), 0);
      batches.push_back(std::move(batch));
    }
  }
  return arrow::Table::FromRecordBatches(to_arrow(wanted), batches).ValueOrDie();
}

inline std::shared_ptr<arrow::Table> decode(Storage& storage, const PartQuery& query) {
  PartReader reader(storage, kPart, query, "exchange", "run_1", -1);
  return decode(reader, query.wanted);
}

inline void expect_table(const arrow::Table& actual, const arrow::Table& expected) {
  EXPECT_TRUE(actual.schema()->Equals(*expected.schema(), true))
      << actual.schema()->ToString() << "\ninstead of\n"
      << expected.schema()->ToString();
  EXPECT_TRUE(actual.Equals(expected)) << actual.ToString() << "\ninstead of\n" << expected.ToString();
}

}  // namespace crv::io
