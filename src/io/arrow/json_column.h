// An Arrow array grown out of JSON values whose type nobody said beforehand.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "crv/core/json.h"
#include "io/schema/types.h"

namespace crv::io {

// One path: integers are int64, with any float double, text utf8, then bool, struct, list; null while nothing
// but nulls came. Values are appended in ascending order of `index`; an index that is left out is null.
// Where text is declared a NaN is null, and an integer beyond 64 bits is text.
// Throws IoSchemaError: type_conflict where two values do not meet, lossy_cast for an integer beyond 64 bits
// or one beyond +-2^53 among floats, duplicate_column for a key that stands twice in an object, wrong_type
// for what is nested deeper than kMaxTypeDepth; each with the row.
class JsonColumn {
 public:
  // `path`: "" for the rows themselves. `declared` (may be nullptr, else outlives this): declared.h.
  // `depth`: of lists and objects around it.
  explicit JsonColumn(std::string path, const Type* declared = nullptr, int depth = 0);
  ~JsonColumn();
  JsonColumn(JsonColumn&&) noexcept;
  JsonColumn& operator=(JsonColumn&&) noexcept;

  // `row`: row of the frame, for errors.
  void append(std::int64_t index, const Json& value, std::int64_t row);
  void append(std::int64_t index, const JsonObject& value, std::int64_t row);
  void append(std::int64_t index, const std::vector<JsonObject>& value, std::int64_t row);

  // All values up to `length`. The column is spent then.
  std::shared_ptr<arrow::Array> finish(std::int64_t length);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace crv::io
