// What can be appended: rows in any Arrow form, or structs.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <arrow/type_fwd.h>

#include "crv/core/descriptor.h"
#include "crv/core/json.h"
#include "crv/core/rows.h"

struct ArrowArrayStream;

namespace crv::io {

// By this the functions that the macros of row.h make are found in the namespace of the struct.
template <class T>
struct RowTag {};

// A struct of the user's own that CRV_ROW or CRV_ROW_MEMBERS of row.h describes.
template <class T>
concept IsRow = requires { crv_row_fields(RowTag<T>{}); };

namespace detail {
// In row.h, which every such struct needs. `table`: the name that errors tell, where it is known.
template <IsRow T>
std::shared_ptr<arrow::Table> table_of_rows(std::span<const T> rows, std::string_view table = {});
}  // namespace detail

// Rows on their way into a table. Cheap to copy: it shares the data, which must not change while the frame
// lives. Implicit from everything that has rows, so that `dataset.append("holdings", rows)` takes any of
// them.
class Frame {
 public:
  Frame(std::shared_ptr<arrow::Table> table);
  Frame(const std::shared_ptr<arrow::RecordBatch>& batch);
  // Reads to the end; IoReadError (read_failed) where the reader fails.
  Frame(const std::shared_ptr<arrow::RecordBatchReader>& reader);
  // Takes over the stream of the Arrow C interface and reads it to the end. Needs no Arrow on the caller's
  // side.
  explicit Frame(ArrowArrayStream* stream);
  // Typed rows, copied.
  Frame(std::span<const core::MessageRow> rows);
  Frame(std::span<const core::ExchangeRow> rows);
  Frame(std::span<const core::IdentityEdgeRow> rows);
  Frame(std::span<const core::ScenarioRow> rows);
  Frame(std::span<const core::DecisionRow> rows);
  Frame(std::span<const core::OracleCallRow> rows);
  Frame(std::span<const core::HoldingsRow> rows);
  Frame(std::span<const core::HoldingsValuationRow> rows);
  // Any contiguous range of one of the row structs or of a struct of the user's own (row.h), e.g.
  // std::vector<HoldingsRow>. For the latter IoSchemaError (wrong_type, lossy_cast) with column and row, for a
  // value that its column cannot hold.
  template <class Rows>
    requires requires(const Rows& r) { std::span(r); }
  Frame(const Rows& rows) : Frame(data_of(std::span<const ValueOf<Rows>>(rows))) {}

  const std::shared_ptr<arrow::Table>& table() const { return table_; }

 private:
  template <class Rows>
  using ValueOf = typename decltype(std::span(std::declval<const Rows&>()))::value_type;

  template <class Row>
  static auto data_of(std::span<const Row> rows) {
    static_assert(
        IsRow<Row> || core::IsTableRow<Row>,
        "a Frame is made of structs of crv/core/rows.h, or of your own, each described by CRV_ROW of "
        "crv/io/row.h");
    if constexpr (core::IsTableRow<Row>)
      return rows;
    else if constexpr (IsRow<Row>)
      return detail::table_of_rows(rows);
    else
      return std::shared_ptr<arrow::Table>();
  }

  std::shared_ptr<arrow::Table> table_;
};

// A frame of JSON objects, one a row; keys become columns in order of first appearance, types are inferred
// over all rows: integers i64, with any float f64, text, bools, objects structs, arrays lists; a key that a
// row lacks is null. With `table`, NaN where the table has text is null, and integers beyond 64 bits are text
// there. Throws IoSchemaError (type_conflict, with the row) where two rows do not meet on a path.
Frame frame_from_json(std::span<const JsonObject> rows, const core::TableDescriptor* table = nullptr);

// The crv::Error that a failed status of a Scan's reader carries, rethrown; else IoReadError.
[[noreturn]] void rethrow(const arrow::Status& status);

}  // namespace crv::io
