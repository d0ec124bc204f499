// Rows of an array by index, for every type that Arrow's own Take knows and for string views, which it does
// not.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>

namespace crv::io {

// Bits of `array` from its first value on; nullptr where it has no null. Copied only where the array is a
// slice.
std::shared_ptr<arrow::Buffer> validity_of(const arrow::Array& array);

// Value indices[i] of `values` for each i; null where the index or the value is null. `indices`: any integer
// type. An index out of range is an error (wrong_type): it can only come from a damaged dictionary.
std::shared_ptr<arrow::Array> gather(const std::shared_ptr<arrow::Array>& values,
                                     const std::shared_ptr<arrow::Array>& indices);

// Values of a dictionary in place of its indices; anything else as it is.
std::shared_ptr<arrow::Array> decode(const std::shared_ptr<arrow::Array>& values);

}  // namespace crv::io
