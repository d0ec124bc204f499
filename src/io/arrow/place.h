// Where a value stands in the caller's frame, so that an error can name table, column, row and value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/core/error.h"
#include "crv/core/json.h"

namespace crv::io {

// One path of a frame: a column, a field of a struct or the elements of a list. The values of a path are
// chunked as its column is: value `index` of chunk `chunk` lies within the row that row_of() tells. A field
// or element refers to the place it was made from, which must outlive it.
class Place {
 public:
  // Index in the parent's chunk of what holds the value.
  using Outward = std::function<std::int64_t(std::size_t chunk, std::int64_t index)>;

  Place(std::string table, const std::string& column, const arrow::ChunkedArray& values);
  Place field(const std::string& name) const;
  Place element(Outward outward) const;

  const std::string& path() const { return path_; }  // "claims.items[].price"
  int depth() const { return depth_; }
  std::int64_t row_of(std::size_t chunk, std::int64_t index) const;

  // All failures of this column become `code`: a tick is bad whatever is wrong with it.
  void report_as(ErrorCode code) {
    code_ = code;
    report_as_code_ = true;
  }

  // `why` ends the sentence `table "t", column "c", row 7: <why>`.
  [[noreturn]] void fail(ErrorCode code, const std::string& why) const;
  [[noreturn]] void fail_at(ErrorCode code, const arrow::Array& chunk_values, std::size_t chunk,
                            std::int64_t index, const std::string& why) const;
  [[noreturn]] void fail_at(ErrorCode code, std::int64_t row, const std::string& value,
                            const std::string& why) const;

  // A single value that does not fit: fail_at(), or, where there is a listener, told to that.
  void refuse_at(ErrorCode code, const arrow::Array& chunk_values, std::size_t chunk, std::int64_t index,
                 const std::string& why) const;
  // `listener` hears of single values of this path and of those made from it; it must outlive them.
  struct Refused {
    ErrorCode code;
    const std::string& path;
    std::int64_t row;
    const std::string& why;
    std::function<std::string()> value;  // its text
  };
  using Listener = std::function<void(const Refused&)>;
  void tell(const Listener& listener) { listener_ = &listener; }

  ErrorFacts facts() const;

 private:
  Place() = default;

  std::string table_;
  std::string path_;
  const Place* parent_ = nullptr;
  const Listener* listener_ = nullptr;
  int depth_ = 0;
  std::vector<std::int64_t> first_rows_;  // of a column: frame row of each chunk's first value
  Outward outward_;                       // of elements
  ErrorCode code_ = ErrorCode::wrong_type;
  bool report_as_code_ = false;
};

// Throws `table "t", column "c", row 7, value 300: <why>`, without a table that `cell` does not know.
[[noreturn]] void refuse(ErrorCode code, const ErrorFacts& cell, const std::string& why);
// The same of text that is not UTF-8 and so stands in the facts alone.
[[noreturn]] void refuse_bytes(ErrorFacts cell, std::string_view text);

// A value for an error: text as it is, all else as JSON, cut where it is long.
std::string text_of(const Json& value);

}  // namespace crv::io
