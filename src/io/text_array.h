// Arrow's three kinds of text under one roof.
#pragma once

#include <arrow/array.h>

namespace crv::io {

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
