// Arrow's three kinds of text, and its views, under one roof.
#pragma once

#include <memory>

#include <arrow/array.h>

namespace crv::io {

bool is_text(const arrow::DataType& type);
// string_view as large_utf8 and binary_view as large_binary, which Arrow can slice and take inside nested
// columns; anything else as it is.
std::shared_ptr<arrow::Array> without_views(const std::shared_ptr<arrow::Array>& values);

// Calls `then` with the array as its own class; false where it is not text.
template <class Then>
bool with_text(const arrow::Array& values, const Then& then) {
  switch (values.type_id()) {
    case arrow::Type::STRING:
      then(static_cast<const arrow::StringArray&>(values));
      return true;
    case arrow::Type::LARGE_STRING:
      then(static_cast<const arrow::LargeStringArray&>(values));
      return true;
    case arrow::Type::STRING_VIEW:
      then(static_cast<const arrow::StringViewArray&>(values));
      return true;
    default:
      return false;
  }
}

}  // namespace crv::io
