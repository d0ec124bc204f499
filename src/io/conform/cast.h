// Casts of one chunk of values to the scalar types of a table, never losing a value or making it null.
//
// Accepted: integers in range; integral floats within +-2^53 to i64; bool to i64; int and bool to f64 within
// +-2^53; decimals to i64 or f64 as number_text.h says; strict decimal text to i64 or f64; number or bool to
// text; dictionaries of any of these. An integer-shaped text becomes f64 under the same +-2^53. All else is
// refused: wrong_type for a type, lossy_cast for a value. A result shares the buffers of its source where the
// type is right already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "io/arrow/place.h"

namespace crv::io {

std::shared_ptr<arrow::Array> cast_to_i64(const std::shared_ptr<arrow::Array>& values, const Place& place,
                                          std::size_t chunk);
std::shared_ptr<arrow::Array> cast_to_f64(const std::shared_ptr<arrow::Array>& values, const Place& place,
                                          std::size_t chunk);
// Text stays as it is: utf8, large_utf8 or string_view. Numbers become utf8 as number_text.h says, NaN null.
std::shared_ptr<arrow::Array> cast_to_text(const std::shared_ptr<arrow::Array>& values, const Place& place,
                                           std::size_t chunk);
// Integers and decimals of any kind as decimals of one type, to the digit.
std::shared_ptr<arrow::Array> cast_to_decimal(const std::shared_ptr<arrow::Array>& values,
                                              const std::shared_ptr<arrow::DataType>& type,
                                              const Place& place, std::size_t chunk);

// Whether each of an array of decimals is an integer of 64 bits.
bool fits_i64(const arrow::Array& decimals);
// Whether an int64 array holds an integer beyond +-2^53.
bool holds_exact(const arrow::Array& values);

}  // namespace crv::io
